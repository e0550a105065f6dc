//! Several pods on a real Redis, with a key prefix of their own.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::TestPod;
use crate::game::{GameId, PodName, Timestamp};
use crate::live::RedisLive;
use crate::records::{Journal, Records};
use crate::settings::{RedisSettings, Settings};

/// The address of Redis, unless `TEST_REDIS` is set.
const REDIS: &str = "redis://127.0.0.1:6379/0";

/// Pods that share their games.
pub(super) struct Cluster {
    pub(super) pods: Vec<Arc<TestPod>>,
    pub(super) records: Records,
    pub(super) settings: RedisSettings,
    journal: TaskTracker,
    journal_stop: CancellationToken,
    _data: TempDir,
}

/// Runs a test on that many pods, if there is a Redis.
pub(super) async fn on(pods: usize, test: impl AsyncFn(&Cluster)) {
    let Some(cluster) = Cluster::of(pods).await else { return };
    let outcome = AssertUnwindSafe(test(&cluster)).catch_unwind().await;
    cluster.stop().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

impl Cluster {
    /// `None` if there is no Redis, and none is required.
    async fn of(pods: usize) -> Option<Self> {
        let address = std::env::var("TEST_REDIS").unwrap_or_else(|_| REDIS.into());
        if let Err(error) = connection(&address).await {
            assert!(
                std::env::var_os("REQUIRE_SERVICES").is_none(),
                "Redis is required at {address}: {error}"
            );
            eprintln!("skipped: no Redis at {address}");
            return None;
        }
        let settings = RedisSettings {
            url: Some(address.into()),
            prefix: format!("typephoon-test-{:016x}", rand::random::<u64>()),
            ..RedisSettings::default()
        };
        let data = tempfile::tempdir().unwrap();
        let of_records = Settings {
            data_dir: data.path().into(),
            redis: Some(settings.clone()),
            ..Settings::default()
        };
        let records = Records::open(&of_records, false).await.unwrap();
        let (journal, journal_stop) = (TaskTracker::new(), CancellationToken::new());
        let mut cluster =
            Self { pods: Vec::new(), records, settings, journal, journal_stop, _data: data };
        for number in 1..=pods {
            cluster.start(&format!("pod-{number}")).await;
        }
        Some(cluster)
    }

    /// Starts one more pod.
    async fn start(&mut self, name: &str) {
        let (records, stop) = (self.records.clone(), self.journal_stop.clone());
        let journal = Journal::start(records.clone(), &self.journal, stop);
        let (settings, name) = (&self.settings, PodName::from(name));
        let pod = RedisLive::connect(settings, records, journal, name).await.unwrap();
        self.pods.push(Arc::new(TestPod::on_redis(pod)));
    }

    /// The names of all keys.
    pub(super) async fn keys(&self) -> Vec<String> {
        let mut connection = self.connection().await;
        let pattern = format!("*{}:*", self.settings.prefix);
        let mut scan = connection.scan_match(pattern).await.unwrap();
        let mut keys = Vec::new();
        while let Some(key) = scan.next_item().await {
            keys.push(key.unwrap());
        }
        keys
    }

    /// The time to live of each key, in milliseconds; -1 if it has none.
    pub(super) async fn lives(&self) -> Vec<(String, i64)> {
        let mut connection = self.connection().await;
        let mut lives = Vec::new();
        for key in self.keys().await {
            let life = connection.pttl(&key).await.unwrap();
            lives.push((key, life));
        }
        lives
    }

    /// Lists a pod whose last heartbeat was a minute ago.
    pub(super) async fn silence(&self, pod: &str) {
        let key = format!("{{{}:lobby}}:pods", self.settings.prefix);
        let ago = Timestamp::now().0 / 1000 - 60_000;
        self.connection().await.zadd::<_, _, _, ()>(key, pod, ago).await.unwrap();
    }

    /// Makes the value of a game one that cannot be parsed.
    pub(super) async fn spoil(&self, game: GameId) {
        let name = format!(":game:{game}");
        let key = self.keys().await.into_iter().find(|key| key.ends_with(&name)).unwrap();
        self.connection().await.hset::<_, _, _, ()>(key, "value", "spoilt").await.unwrap();
    }

    async fn connection(&self) -> MultiplexedConnection {
        connection(self.settings.url.as_ref().unwrap().expose()).await.unwrap()
    }

    /// Removes all keys, as if Redis had lost its memory.
    pub(super) async fn wipe(&self) {
        let keys = self.keys().await;
        let mut connection = self.connection().await;
        // One by one, since in a cluster they are in many slots.
        for key in keys {
            connection.del::<_, ()>(key).await.unwrap();
        }
    }

    async fn stop(self) {
        self.wipe().await;
        self.journal_stop.cancel();
        self.journal.close();
        self.journal.wait().await;
    }
}

async fn connection(address: &str) -> redis::RedisResult<MultiplexedConnection> {
    redis::Client::open(address)?.get_multiplexed_async_connection().await
}
