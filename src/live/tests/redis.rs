//! Several servers on one Redis: a real one, and keys under a prefix of their own.

use std::sync::Arc;

use redis::AsyncCommands;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::game::PodName;
use crate::live::RedisLive;
use crate::records::{Journal, Records};
use crate::settings::{RedisSettings, Settings};

/// Where Redis is; `TEST_REDIS` names another.
const REDIS: &str = "redis://127.0.0.1:6379/0";

/// Servers that play the same games.
pub(super) struct Cluster {
    pub(super) pods: Vec<Arc<RedisLive>>,
    pub(super) records: Records,
    pub(super) settings: RedisSettings,
    journal: TaskTracker,
    journal_stop: CancellationToken,
    _data: TempDir,
}

impl Cluster {
    /// `None` if there is no Redis, and none is required.
    pub(super) async fn of(pods: usize) -> Option<Self> {
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

    /// One more server.
    pub(super) async fn start(&mut self, name: &str) -> Arc<RedisLive> {
        let (records, stop) = (self.records.clone(), self.journal_stop.clone());
        let journal = Journal::start(records.clone(), &self.journal, stop);
        let (settings, name) = (&self.settings, PodName::from(name));
        let pod = RedisLive::connect(settings, records, journal, name).await.unwrap();
        self.pods.push(Arc::new(pod));
        self.pods[self.pods.len() - 1].clone()
    }

    /// The names of all keys.
    pub(super) async fn keys(&self) -> Vec<String> {
        let address = self.settings.url.as_ref().unwrap().expose();
        let mut connection = connection(address).await.unwrap();
        let pattern = format!("*{}:*", self.settings.prefix);
        let mut scan = connection.scan_match(pattern).await.unwrap();
        let mut keys = Vec::new();
        while let Some(key) = scan.next_item().await {
            keys.push(key.unwrap());
        }
        keys
    }

    /// How long each key is still kept, in milliseconds; -1 if for ever.
    pub(super) async fn lives(&self) -> Vec<(String, i64)> {
        let address = self.settings.url.as_ref().unwrap().expose();
        let mut connection = connection(address).await.unwrap();
        let mut lives = Vec::new();
        for key in self.keys().await {
            let life = connection.pttl(&key).await.unwrap();
            lives.push((key, life));
        }
        lives
    }

    /// Redis has lost everything.
    pub(super) async fn wipe(&self) {
        let keys = self.keys().await;
        if !keys.is_empty() {
            let address = self.settings.url.as_ref().unwrap().expose();
            connection(address).await.unwrap().del::<_, ()>(keys).await.unwrap();
        }
    }

    /// To be called at the end of a test; one that fails leaves its keys to their expiry.
    pub(super) async fn stop(self) {
        self.wipe().await;
        self.journal_stop.cancel();
        self.journal.close();
        self.journal.wait().await;
    }
}

async fn connection(address: &str) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
    redis::Client::open(address)?.get_multiplexed_async_connection().await
}
