//! What the pods of one cluster under test share: a database, a prefix in Redis, names at RabbitMQ, of the test's own and
//! gone with it. Redis and RabbitMQ are those on their standard ports, as of compose.yaml.

use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Channel, Connection, ConnectionProperties};
use redis::aio::MultiplexedConnection;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::database;

/// Where they are; `TEST_REDIS` and `TEST_RABBITMQ` name others.
const REDIS: &str = "redis://127.0.0.1:6379";
/// Over the virtual host that is always there, or else that of `compose.yaml`.
const AMQP: [&str; 2] =
    ["amqp://guest:guest@127.0.0.1:5672/%2f", "amqp://guest:guest@127.0.0.1:5672/typephoon"];
/// How long a connection to RabbitMQ, or all of the cleaning up, may take before it is tried again: a client that waits
/// for ever would keep the whole suite waiting.
const PATIENCE: Duration = Duration::from_secs(20);
const TRIES: usize = 3;

/// Delays that pods wait by beside those of their settings, in milliseconds, as of `src/bridge/alarm.rs`.
const DELAYS: [u64; 10] = [250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000];

/// How many pods every server is to have that does not say otherwise: none means embedded.
pub fn pods_wanted() -> usize {
    let wanted = std::env::var("TEST_PODS").ok().filter(|it| !it.is_empty());
    wanted.map_or(0, |it| it.parse().expect("TEST_PODS is a number"))
}

/// Whether the services are there. Without them a test about pods is skipped, unless `REQUIRE_SERVICES` is set.
pub async fn is_possible() -> bool {
    if database::postgres().await.is_none() {
        return false;
    }
    let missing = match (redis().await, amqp().await) {
        (Ok(_), Ok(_)) => return true,
        (Err(error), _) => format!("no Redis at {}: {error}", redis_url()),
        (_, Err(error)) => error,
    };
    assert!(std::env::var_os("REQUIRE_SERVICES").is_none(), "required: {missing}");
    eprintln!("skipped: {missing}");
    false
}

/// See above; goes away when dropped.
pub struct Common {
    name: String,
    db_url: String,
    amqp_url: &'static str,
    /// The database, if it was made for this.
    own: Option<PgConnectOptions>,
    /// Delays of the settings.
    countdowns: Vec<f64>,
}

impl Common {
    /// Makes a database, if there is none for it yet. `countdowns` are the seconds in the settings of the pods.
    pub async fn make(db_url: Option<String>, countdowns: Vec<f64>) -> Self {
        let name = format!("typephoon_test_{:016x}", rand::random::<u64>());
        let amqp_url = amqp_url().await.expect("a cluster needs RabbitMQ");
        if let Some(db_url) = db_url {
            return Self { name, db_url, amqp_url, own: None, countdowns };
        }
        let server = database::postgres().await.expect("a cluster needs PostgreSQL");
        let db_url = database::create(&server, &name).await;
        Self { name, db_url, amqp_url, own: Some(server), countdowns }
    }

    /// What sends a pod there.
    pub fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("db.url", self.db_url.clone()),
            ("redis.url", redis_url()),
            ("redis.prefix", self.name.clone()),
            ("amqp.url", self.amqp_url.to_owned()),
            ("amqp.prefix", self.name.clone()),
        ]
    }

    /// The name of something at RabbitMQ.
    pub fn at_broker(&self, rest: &str) -> String {
        format!("{}.{rest}", self.name)
    }

    /// The queue in which timers wait for that long.
    pub fn wait_queue(&self, delay: Duration) -> String {
        self.at_broker(&format!("wait.{}ms.timers.v1", delay.as_millis()))
    }

    /// A connection to RabbitMQ of the test's own.
    pub async fn broker(&self) -> (Connection, Channel) {
        let connection = amqp().await.expect("RabbitMQ answers");
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }

    async fn clean_up(&self) {
        let mut tries = 0;
        while timeout(PATIENCE, self.forget_names()).await.is_err() {
            tries += 1;
            assert!(tries < TRIES, "RabbitMQ does not answer");
        }
        timeout(PATIENCE, self.forget_keys()).await.expect("Redis answers");
        if let Some(server) = &self.own {
            timeout(PATIENCE, database::drop(server, &self.name))
                .await
                .expect("PostgreSQL answers");
        }
    }

    async fn forget_names(&self) {
        let (connection, channel) = self.broker().await;
        for exchange in ["pods", "work"] {
            let options = ExchangeDeleteOptions::default();
            let _ = channel.exchange_delete(self.at_broker(exchange).into(), options).await;
        }
        let own = self.countdowns.iter().map(|it| Duration::from_secs_f64(*it));
        let delays = DELAYS.into_iter().map(Duration::from_millis).chain(own);
        let queues = delays.map(|delay| self.wait_queue(delay));
        let work = ["work.once.v1", "work.timers.v1"].map(|queue| self.at_broker(queue));
        // A queue that was never declared is no error.
        for queue in queues.chain(work) {
            let options = QueueDeleteOptions::default();
            let _ = channel.queue_delete(queue.into(), options).await;
        }
        let _ = connection.close(200, "done".into()).await;
    }

    async fn forget_keys(&self) {
        let mut redis = redis().await.expect("Redis answers");
        let mut cursor = 0;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{{{}:*", self.name)).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) =
                scan.query_async(&mut redis).await.expect("keys");
            if !keys.is_empty() {
                let _ = redis::cmd("UNLINK").arg(keys).exec_async(&mut redis).await;
            }
            if next == 0 {
                return;
            }
            cursor = next;
        }
    }
}

impl Drop for Common {
    fn drop(&mut self) {
        // On a thread of its own, since this one already runs a runtime.
        let cleaning = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(self.clean_up());
        };
        let cleaned = std::thread::scope(|scope| scope.spawn(cleaning).join());
        if cleaned.is_err() && !std::thread::panicking() {
            panic!("{} is left behind at the services", self.name);
        }
    }
}

fn redis_url() -> String {
    std::env::var("TEST_REDIS").unwrap_or_else(|_| REDIS.into())
}

/// The address at which RabbitMQ has answered first.
async fn amqp_url() -> Result<&'static str, String> {
    static ANSWERS: OnceCell<String> = OnceCell::const_new();
    let found = ANSWERS.get_or_try_init(async || {
        let named = std::env::var("TEST_RABBITMQ").ok();
        let places = named.map_or(AMQP.map(str::to_owned).to_vec(), |named| vec![named]);
        let mut complaints = Vec::new();
        for place in places {
            match connect(&place).await {
                Ok(_) => return Ok(place),
                Err(error) => complaints.push(format!("no RabbitMQ at {place}: {error}")),
            }
        }
        Err(complaints.join("; "))
    });
    found.await.map(String::as_str)
}

async fn redis() -> redis::RedisResult<MultiplexedConnection> {
    redis::Client::open(redis_url())?.get_multiplexed_async_connection().await
}

async fn amqp() -> Result<Connection, String> {
    connect(amqp_url().await?).await
}

/// Connects to a RabbitMQ, or gives up after a while.
pub async fn connect(url: &str) -> Result<Connection, String> {
    let connected = timeout(PATIENCE, Connection::connect(url, ConnectionProperties::default()));
    let connected = connected.await.map_err(|_| format!("nothing within {PATIENCE:?}"))?;
    connected.map_err(|error| error.to_string())
}
