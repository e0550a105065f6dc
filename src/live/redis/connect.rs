//! Opens the connection to Redis, and maps its failures to errors.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError, ServerErrorKind,
};

use super::connection::RedisConnection;
use crate::Error;
use crate::settings::RedisSettings;
use crate::telemetry::StoreLocation;

/// Timeout of an answer; players wait for it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Timeout of connecting.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
/// Reconnects before waiting requests fail: few, since players wait for them.
const RETRIES: usize = 2;
/// How long bytes may stay unacknowledged before the connection counts as lost.
const VANISHED: Duration = Duration::from_secs(5);
/// Requests that may wait to be written; when the queue is full, further callers wait for room.
const QUEUE: usize = 1024;
/// Longest back-off between two attempts to reach Redis at the start.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Waits until Redis answers. Fails at once if waiting cannot help, as with a wrong password.
pub(super) async fn open(
    settings: &RedisSettings,
) -> Result<(RedisConnection, StoreLocation), String> {
    let info = connection_info(settings)?;
    let location = location(info.addr());
    // The address without its password.
    let address = format!("{}/{}", info.addr(), info.redis_settings().db());
    let mut pause = Duration::from_millis(200);
    loop {
        let reached = match settings.cluster {
            true => reach_cluster(&info).await,
            false => reach(&info).await,
        };
        let error = match reached {
            Ok(connection) => return Ok((connection, location)),
            Err(error) if is_final(&error) => {
                return Err(format!("Redis at {address} refuses us: {error}"));
            }
            Err(error) => error,
        };
        tracing::warn!("waiting for Redis at {address}: {error}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The address of Redis, for spans.
fn location(address: &ConnectionAddr) -> StoreLocation {
    match address {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            StoreLocation::redis(host.clone(), *port)
        }
        other => StoreLocation::redis(other.to_string(), 0),
    }
}

async fn reach(info: &ConnectionInfo) -> Result<RedisConnection, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECTION_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_number_of_retries(RETRIES)
        .set_min_delay(Duration::from_millis(50))
        .set_max_delay(Duration::from_millis(500))
        .set_pipeline_buffer_size(QUEUE);
    let client = Client::open(info.clone())?;
    let mut connection = ConnectionManager::new_with_config(client, config).await?;
    // If a password is missing, or while it loads its file, Redis accepts connections but refuses commands.
    redis::cmd("TIME").exec_async(&mut connection).await?;
    Ok(RedisConnection::One(connection))
}

/// The same for a cluster, given the address of one node.
async fn reach_cluster(info: &ConnectionInfo) -> Result<RedisConnection, RedisError> {
    let client = ClusterClient::builder([info.clone()])
        .connection_timeout(CONNECTION_TIMEOUT)
        .response_timeout(RESPONSE_TIMEOUT)
        .overall_response_timeout(Some(RESPONSE_TIMEOUT * 2))
        .retries(4)
        .min_retry_wait(50)
        .max_retry_wait(500)
        .use_protocol(ProtocolVersion::RESP3)
        .tcp_settings(tcp_settings())
        .build()?;
    let mut connection = client.get_async_connection().await?;
    redis::cmd("TIME").exec_async(&mut connection).await?;
    Ok(RedisConnection::Cluster(connection))
}

fn connection_info(settings: &RedisSettings) -> Result<ConnectionInfo, String> {
    let info = match &settings.url {
        Some(url) => url.expose().into_connection_info(),
        None => ConnectionAddr::Tcp(settings.host.clone(), settings.port)
            .into_connection_info()
            .map(|info| {
                let db = RedisConnectionInfo::default().set_db(settings.db.into());
                info.set_redis_settings(db)
            }),
    };
    let info = info.map_err(|_| "redis.url is no address of Redis".to_owned())?;
    // With RESP3 a lost connection is noticed and replaced before the next request needs it.
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(redis).set_tcp_settings(tcp_settings()))
}

fn tcp_settings() -> TcpSettings {
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(TcpKeepalive::new().with_time(Duration::from_secs(30)));
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(VANISHED);
    tcp
}

/// Whether waiting cannot help: a wrong password, missing rights, no such database.
fn is_final(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::AuthenticationFailed
        | ErrorKind::InvalidClientConfig
        | ErrorKind::RESP3NotSupported
        | ErrorKind::Server(ServerErrorKind::NoPerm | ServerErrorKind::ResponseError) => true,
        ErrorKind::Extension => matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
        _ => false,
    }
}

/// Error codes with which Redis refuses commands until an operator acts or memory is free again: no memory
/// (`maxmemory`), no disk for a snapshot, too few replicas, missing rights.
const REFUSALS: [&str; 6] = ["OOM", "MISCONF", "NOREPLICAS", "NOPERM", "NOAUTH", "WRONGPASS"];
/// A command that a script may not run for lack of rights is reported with a general error code, and this text.
const NO_RIGHTS_IN_SCRIPT: &str = "The user executing the script can't run this command";

/// Whether Redis is unreachable, not ready, or refuses commands: the request can be retried.
fn is_away(error: &RedisError) -> bool {
    let kind = error.kind();
    let is_passing = matches!(
        kind,
        ErrorKind::AuthenticationFailed
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::ReadOnly
                    | ServerErrorKind::NoPerm
            )
    );
    let is_refusal = error.code().is_some_and(|code| REFUSALS.contains(&code))
        || error.detail().is_some_and(is_refusal_in_script);
    error.is_io_error() || error.is_unrecoverable_error() || is_passing || is_refusal
}

/// Before version 7, an error of a command inside a script is wrapped in one of the script: `ERR Error running script …
/// -OOM command …`.
fn is_refusal_in_script(detail: &str) -> bool {
    let codes = detail.split_whitespace().filter_map(|word| word.strip_prefix('-'));
    let mut refusals = codes.filter(|code| *code == "READONLY" || REFUSALS.contains(code));
    detail.contains(NO_RIGHTS_IN_SCRIPT) || refusals.next().is_some()
}

/// The error that the caller gets: `SERVICE_UNAVAILABLE` if a retry may help, else `UNKNOWN_ERROR`.
pub(super) fn failed(error: RedisError) -> Error {
    if is_away(&error) { Error::away(error) } else { Error::internal(error) }
}
