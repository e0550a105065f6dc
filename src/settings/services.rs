//! The three services of a cluster: `db`, `redis`, `amqp`.
//!
//! Each section switches its service on when present; otherwise the embedded default is used. A `url` replaces the
//! single connection settings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::secret::{Secret, ServiceUrl};
use super::values;

/// PostgreSQL, for the records (users, games, results).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct DbSettings {
    /// `postgres://user:password@host:port/db`; if set, the connection settings below are ignored.
    #[serde(deserialize_with = "values::service_url")]
    pub url: Option<ServiceUrl>,
    /// The user to connect as.
    #[serde(deserialize_with = "values::text")]
    pub username: String,
    /// The password of that user.
    #[serde(deserialize_with = "values::secret")]
    pub password: Secret,
    /// Host name or address.
    #[serde(deserialize_with = "values::text")]
    pub host: String,
    /// TCP port.
    #[serde(deserialize_with = "values::port")]
    pub port: u16,
    /// Name of the database.
    #[serde(deserialize_with = "values::text")]
    pub db: String,
    /// Connections in this pod's pool, at least 1.
    #[serde(deserialize_with = "values::count")]
    pub pool_size: u32,
    /// Whether every statement is logged.
    #[serde(deserialize_with = "values::switch")]
    pub echo: bool,
}

impl Default for DbSettings {
    fn default() -> Self {
        Self {
            url: None,
            username: "user".into(),
            password: "password".into(),
            host: "localhost".into(),
            port: 5432,
            db: "typephoon".into(),
            pool_size: 5,
            echo: false,
        }
    }
}

/// Redis, for the live state (lobbies, players in game, one-time keys).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RedisSettings {
    /// `redis://user:password@host:port/db`; if set, the connection settings below are ignored.
    #[serde(deserialize_with = "values::service_url")]
    pub url: Option<ServiceUrl>,
    /// Host name or address.
    #[serde(deserialize_with = "values::text")]
    pub host: String,
    /// TCP port.
    #[serde(deserialize_with = "values::port")]
    pub port: u16,
    /// Number of the Redis database.
    #[serde(deserialize_with = "values::number")]
    pub db: u32,
    /// Whether the address is a node of a Redis Cluster, from which the other nodes are discovered.
    #[serde(deserialize_with = "values::switch")]
    pub cluster: bool,
    /// Prefix of all keys: servers with the same prefix share their games.
    #[serde(deserialize_with = "values::text")]
    pub prefix: String,
    /// Accepted without effect.
    #[serde(with = "values::positive_seconds")]
    pub expire_time: Duration,
    /// Accepted without effect.
    #[serde(with = "values::positive_seconds")]
    pub in_game_cache_expire_time: Duration,
    /// Accepted without effect.
    #[serde(with = "values::positive_seconds")]
    pub result_cache_expire_time: Duration,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            url: None,
            host: "localhost".into(),
            port: 6379,
            db: 0,
            cluster: false,
            prefix: "typephoon".into(),
            expire_time: Duration::from_secs(60),
            in_game_cache_expire_time: Duration::from_secs(900),
            result_cache_expire_time: Duration::from_secs(900),
        }
    }
}

/// RabbitMQ, for events between pods, and for timers that outlive a pod.
///
/// The names of exchanges and queues that an existing file may contain here are accepted and ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct AmqpSettings {
    /// `amqp://user:password@host:port/vhost`; if set, the connection settings below are ignored.
    #[serde(deserialize_with = "values::service_url")]
    pub url: Option<ServiceUrl>,
    /// The user to connect as.
    #[serde(deserialize_with = "values::text")]
    pub user: String,
    /// The password of that user.
    #[serde(deserialize_with = "values::secret")]
    pub password: Secret,
    /// Host name or address.
    #[serde(deserialize_with = "values::text")]
    pub host: String,
    /// TCP port.
    #[serde(deserialize_with = "values::port")]
    pub port: u16,
    /// Virtual host.
    #[serde(deserialize_with = "values::text")]
    pub vhost: String,
    /// Prefix of this server's exchanges and queues.
    #[serde(deserialize_with = "values::text")]
    pub prefix: String,
    /// Unacknowledged messages per consumer; 0 means no limit, as in AMQP.
    #[serde(deserialize_with = "values::short")]
    pub prefetch_count: u16,
}

impl Default for AmqpSettings {
    fn default() -> Self {
        Self {
            url: None,
            user: "guest".into(),
            password: "guest".into(),
            host: "localhost".into(),
            port: 5672,
            vhost: "typephoon".into(),
            prefix: "typephoon".into(),
            prefetch_count: 50,
        }
    }
}
