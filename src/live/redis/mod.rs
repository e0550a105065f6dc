//! The live state on Redis, or on a Redis Cluster: any number of servers play one game.
//!
//! A game is one value with a version. A pod reads it, applies a transition, and commits the outcome together with its index
//! entries if the version is still the same; otherwise it starts again with fresh facts ([`store`]). So no rule of the game
//! is written in Lua, and no lock is left behind when a pod dies.
//!
//! Keys are in hash slots, so that a Redis Cluster shares the load: games are spread over a few slots by their ids, and a
//! commit touches one slot ([`keys`]).
//!
//! Redis holds the live state, and may lose it. What must last is written to the records: a result before it is
//! acknowledged, the rest in the background ([`records`]).
//!
//! Beside the operations of a [`Store`](super::Store) it has those that coordinate pods: which pods are alive and hold
//! sockets of a game ([`presence`]), the shared deadlines ([`agenda`]), and the common time ([`clock`]).

mod agenda;
mod clock;
pub(super) mod commit;
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
use self::connection::RedisConnection;
use self::keys::RedisKeys;
pub use self::presence::BeatAnswer;
use self::presence::OnlineCount;
use crate::Error;
use crate::game::{Game, PodName};
use crate::records::{Journal, Records};
use crate::settings::RedisSettings;
use crate::telemetry::{StoreLocation, count, live_operation};

/// Extra time to live of keys, so that a late pod still finds them.
const KEPT_LONGER: Duration = Duration::from_secs(3600);

/// Locks for the changes of this pod, chosen by the game: more than there are changes under way. Each keeps the facts of one
/// game, about 20 KiB, until another game needs it.
const CHANGE_LOCKS: usize = 256;

/// What a lock guards. Concurrent changes of one game by one pod would only conflict.
#[derive(Default)]
struct ChangeLock {
    /// The facts after the last change.
    known: Option<Arc<Game>>,
    /// When a request to Redis last failed.
    failed: Option<Instant>,
}

/// The live state that servers share. Cheap to clone.
#[derive(Clone)]
pub struct RedisLive {
    redis: RedisConnection,
    /// Its address, for spans.
    location: StoreLocation,
    keys: RedisKeys,
    pod: PodName,
    records: Records,
    journal: Journal,
    /// Held while ids are reserved: a burst of new games then needs one request to the records, not hundreds.
    reserving: Arc<Mutex<()>>,
    /// Each is held while one of its games is changed.
    change_locks: Arc<[Mutex<ChangeLock>]>,
    /// The numbers of players on this pod and on the others.
    online: Arc<OnlineCount>,
}

impl RedisLive {
    /// Waits until Redis answers, and logs that it waits. Ids of games come from the records, and the journal writes
    /// games to them. The pod's name must be unique to this run.
    ///
    /// # Errors
    /// One sentence, if waiting cannot help.
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
            change_locks: (0..CHANGE_LOCKS).map(|_| Mutex::default()).collect(),
            online: Arc::default(),
        })
    }

    /// Changes that this process has retried because another pod had changed the game meanwhile.
    pub fn conflicts() -> u64 {
        count::LIVE_CONFLICTS.get()
    }

    /// Its address, for spans.
    pub(super) fn location(&self) -> &StoreLocation {
        &self.location
    }

    /// Runs an operation that is not one of a [`Store`](super::Store) in a span, and measures it.
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
