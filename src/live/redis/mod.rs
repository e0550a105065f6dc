//! The live state on Redis: any number of servers play one game.
//!
//! Every operation is one script, hence atomic, and answers with the facts as it left them. Nothing is
//! read, changed and written back; nobody holds a lock.
//!
//! Keys lie in slots, so that a cluster of Redis can share the load: a script touches one slot only.
//! While a game is in its lobby, it lies in the slot of the lobbies, with all that matchmaking looks at.
//! Its preparation moves it into a slot of its own ([`moving`]). The few operations that concern both slots take a step in each; each step may be taken
//! again, so that a server that dies in between does no harm: the facts still say what is due.
//!
//! Redis holds what is live, and may lose it. What is kept for good goes into the records: a result
//! before it is acknowledged, the rest as soon as there is time ([`kept`]).
//!
//! Beside the operations of [`LiveState`] there are those that servers need among each other: who is
//! alive and holds sockets of a game ([`presence`]), which deadlines are known ([`agenda`]), what time it
//! is ([`clock`]).

mod agenda;
mod clock;
mod connect;
mod ending;
mod entering;
mod facts;
mod kept;
mod keys;
mod moving;
mod operations;
mod presence;
mod reading;
mod scripts;

use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{FromRedisValue, ScriptInvocation};
use tokio::sync::Mutex;

use self::connect::failed;
use self::facts::Fields;
use self::keys::Keys;
pub use self::presence::Beat;
use self::presence::Online;
use crate::Error;
use crate::game::{Game, GameId, PodName};
use crate::records::{Journal, Records};
use crate::settings::RedisSettings;
use crate::telemetry::{Store, live_operation};

/// How long keys outlive what they are about: a pod that is late still finds them.
const KEPT_LONGER: Duration = Duration::from_secs(3600);

/// The live state that servers share. Cheap to clone.
#[derive(Clone)]
pub struct RedisLive {
    redis: ConnectionManager,
    /// Where that is, for spans.
    store: Store,
    keys: Keys,
    pod: PodName,
    records: Records,
    journal: Journal,
    /// Held while ids are asked for: a crowd at the door is one question to the records, not hundreds.
    reserving: Arc<Mutex<()>>,
    /// What pods tell each other about their players.
    online: Arc<Online>,
}

impl RedisLive {
    /// Waits until Redis answers, and says in the log that it does. Ids of games come from the records, and
    /// the journal writes down what is kept for good. The name of the pod must not be that of another run.
    ///
    /// # Errors
    /// One sentence, if waiting does not help.
    pub async fn connect(
        settings: &RedisSettings,
        records: Records,
        journal: Journal,
        pod: PodName,
    ) -> Result<Self, String> {
        let keys = Keys::under(&settings.prefix)?;
        let (redis, store) = connect::open(settings).await?;
        Ok(Self {
            redis,
            store,
            keys,
            pod,
            records,
            journal,
            reserving: Arc::default(),
            online: Arc::default(),
        })
    }

    /// Where it is.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Measures an operation that is not one of [`LiveState`](crate::live::LiveState), and gives it a span.
    async fn timed<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        live_operation(&self.store, operation, work).await
    }

    /// Runs a script.
    async fn run<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, Error> {
        call.invoke_async(&mut self.redis.clone()).await.map_err(failed)
    }

    /// Runs a script that answers with the facts of a game, if it has changed them.
    async fn game(
        &self,
        id: GameId,
        call: &ScriptInvocation<'_>,
    ) -> Result<Option<Arc<Game>>, Error> {
        let fields: Option<Fields> = self.run(call).await?;
        Ok(facts::read(id, &fields.unwrap_or_default())?.map(Arc::new))
    }

    /// Runs a script that answers with ids and facts.
    async fn games(&self, call: &ScriptInvocation<'_>) -> Result<Vec<Arc<Game>>, Error> {
        let games: Vec<(i64, Fields)> = self.run(call).await?;
        let read = |(id, fields): &(i64, Fields)| facts::read(GameId(*id), fields).transpose();
        games.iter().filter_map(read).map(|game| game.map(Arc::new)).collect()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
