//! The live state on Redis, or on a Redis Cluster: any number of servers play one game.
//!
//! A game is one value with a version. A pod reads it, applies a transition, and commits the outcome together with its index
//! entries if the version is still the same; otherwise it starts again with fresh facts ([`store`]). So no rule of the game
//! is written in Lua, and no lock is left behind when a pod dies.
//!
//! Keys lie in hash slots, so that a Redis Cluster shares the load: games are spread over a few slots by their ids, and a
//! commit touches one slot ([`keys`]).
//!
//! Redis holds what is live, and may lose it. What is kept for good goes into the records: a result
//! before it is acknowledged, the rest as soon as there is time ([`records`]).
//!
//! Beside the operations of a [`Store`](super::Store) there are those that pods need among each other: which
//! pods are alive and hold sockets of a game ([`presence`]), which deadlines are known ([`agenda`]), what time it
//! is ([`clock`]).

mod agenda;
mod clock;
mod commit;
mod connect;
mod connection;
mod keys;
mod presence;
mod records;
mod scripts;
mod store;

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{FromRedisValue, ScriptInvocation};
use tokio::sync::Mutex;

use self::connect::failed;
use self::connection::Connection;
use self::keys::RedisKeys;
pub use self::presence::Beat;
use self::presence::Online;
use crate::Error;
use crate::game::{Game, PodName};
use crate::records::{Journal, Records};
use crate::settings::RedisSettings;
use crate::telemetry::{StoreLocation, count, live_operation};

/// How long keys outlive what they are about: a pod that is late still finds them.
const KEPT_LONGER: Duration = Duration::from_secs(3600);

/// Locks for the changes of this pod, chosen by the game.
const TURNS: usize = 1024;

/// State behind such a lock: concurrent changes of one game by one pod would only conflict.
#[derive(Default)]
struct Turn {
    /// The facts after the last change.
    known: Option<Arc<Game>>,
    /// When Redis last did not answer.
    failed: Option<Instant>,
}

/// The live state that servers share. Cheap to clone.
#[derive(Clone)]
pub struct RedisLive {
    redis: Connection,
    /// Where that is, for spans.
    location: StoreLocation,
    keys: RedisKeys,
    pod: PodName,
    records: Records,
    journal: Journal,
    /// Held while ids are asked for: a crowd at the door is one question to the records, not hundreds.
    reserving: Arc<Mutex<()>>,
    /// Held while a game is changed.
    turns: Arc<[Mutex<Turn>]>,
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
        let keys = RedisKeys::under(&settings.prefix)?;
        let (redis, location) = connect::open(settings).await?;
        Ok(Self {
            redis,
            location,
            keys,
            pod,
            records,
            journal,
            reserving: Arc::default(),
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
            online: Arc::default(),
        })
    }

    /// Changes of games that this process has retried, because another pod had changed the game meanwhile.
    pub fn conflicts() -> u64 {
        count::LIVE_CONFLICTS.get()
    }

    /// Where it is.
    pub(super) fn location(&self) -> &StoreLocation {
        &self.location
    }

    /// Measures an operation that is not one of a [`Store`](super::Store), and gives it a span.
    async fn timed<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        live_operation(&self.location, operation, work).await
    }

    /// Runs a script.
    async fn run<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, Error> {
        call.invoke_async(&mut self.redis.clone()).await.map_err(failed)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
