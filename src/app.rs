//! The whole server: built from settings, run until it is told to stop.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use salvo::conn::tcp::TcpAcceptor;
use salvo::{Server, Service};
use tokio::net::{TcpSocket, lookup_host};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Kind;
use crate::auth::Keys;
use crate::bridge::{Bridge, pulse};
use crate::bus::Listeners;
use crate::game::{PodName, Timestamp};
use crate::health::{self, Health};
use crate::http::{Limits, Origins, service};
use crate::live::{Embedded, LiveState, RedisLive};
use crate::module::{Cx, Parts, linked, wire};
use crate::records::{Journal, Records};
use crate::settings::Settings;
use crate::timers::Timers;

/// Connections that may wait to be accepted: a class that comes all at once.
const BACKLOG: u32 = 4096;

/// Bytes that the kernel may hold for a client that does not read: enough for every answer, and
/// little enough that such a client is noticed.
const SEND_BUFFER: u32 = 128 * 1024;

/// How long a stop may take, from the signal to the end.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A server that is ready to run.
pub struct Application {
    parts: Arc<Parts>,
    service: Service,
    listeners: Listeners,
    acceptor: TcpAcceptor,
    address: SocketAddr,
    keepers: TaskTracker,
    keepers_stop: CancellationToken,
    /// Held as long as the server runs: no second one in the same data directory.
    _lock: Option<File>,
}

impl Application {
    /// Opens the records (`init` brings the tables of PostgreSQL up to date), goes on with the games of
    /// the last run, and takes the port.
    ///
    /// # Errors
    /// One sentence that says what is wrong.
    pub async fn build(settings: Settings, init: bool) -> Result<Self, String> {
        refuse_half_a_cluster(&settings)?;
        let modules = linked(&settings.handlers.disabled)?;
        let declared = wire(&modules)?;
        let states = declared.states.make(&settings)?;
        let providers = declared.providers.configure(&settings)?;
        let lock = match keeps_files(&settings) {
            true => Some(take_data_dir(&settings.data_dir)?),
            false => None,
        };
        let keys = Keys::load(&settings)?;
        let records = Records::open(&settings, init).await?;
        let (keepers, keepers_stop) = (TaskTracker::new(), CancellationToken::new());
        let journal = Journal::start(records.clone(), &keepers, keepers_stop.clone());
        let Lives { live, shared } = Lives::open(&settings, &records, journal).await?;
        let bridge = match (&settings.amqp, &shared) {
            (Some(amqp), Some(shared)) => Some(Bridge::new(amqp, shared.clone())?),
            _ => None,
        };
        let (bus, listeners) = declared.bus.build();
        let parts = Arc::new(Parts {
            bus,
            rooms: declared.rooms,
            live,
            records,
            timers: Timers::new(declared.timers),
            keys,
            frames: declared.frames,
            states,
            providers,
            table: declared.table,
            limits: Arc::new(Limits::of(&settings.limits)),
            origins: Origins::of(&settings),
            bridge,
            shared,
            health: Health::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            settings,
        });
        let service = service(&parts, declared.routes, declared.sockets);
        let (acceptor, address) =
            listen(&parts.settings.server.host, parts.settings.server.port).await?;
        let _lock = lock;
        Ok(Self { parts, service, listeners, acceptor, address, keepers, keepers_stop, _lock })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    #[cfg(test)]
    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    /// Serves until `stop`, then lets everybody finish.
    ///
    /// # Errors
    /// One sentence, if the live state cannot be read.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), String> {
        let parts = &self.parts;
        self.listeners.run(|module| Cx::new(module, parts.clone()), &parts.tasks, &parts.stop);
        join_the_others(parts);
        health::look(parts).await;
        let (watching, stopped) = (health::watch(parts.clone()), parts.stop.clone());
        parts.tasks.spawn(async move { stopped.run_until_cancelled(watching).await });
        let games = parts.live.all().await.map_err(|error| error.to_string())?;
        games.iter().for_each(|game| parts.timers.arm(game));
        let (timers, stopped) = (parts.timers.clone().run(parts.live.clone()), parts.stop.clone());
        parts.tasks.spawn(async move { stopped.run_until_cancelled(timers).await });
        introduce(parts, self.address);

        let server = Server::new(self.acceptor);
        let handle = server.handle();
        let serving = server.try_serve(self.service);
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            served = serving.as_mut() => served.map_err(|error| format!("serving ended: {error}"))?,
            () = stop => {}
        }
        tracing::info!("stopping: no new players, open sockets are told to come back");
        parts.stop.cancel();
        parts.rooms.close_all(Kind::RESTARTING);
        parts.tasks.close();
        handle.stop_graceful(STOP_PATIENCE);
        let ended = async { tokio::join!(serving, parts.tasks.wait()) };
        if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
            tracing::warn!("not everybody was done after {STOP_PATIENCE:?}");
        }
        if let Some(bridge) = &parts.bridge {
            bridge.leave_alarms().await;
        }
        if let Some(shared) = &parts.shared
            && let Err(error) = shared.farewell().await
        {
            tracing::warn!(%error, "the other pods will miss this one for some seconds");
        }
        self.keepers_stop.cancel();
        self.keepers.close();
        self.keepers.wait().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Starts what pods do among each other, if this one is not alone.
fn join_the_others(parts: &Arc<Parts>) {
    if let Some(bridge) = &parts.bridge {
        parts.bus.travel_by(bridge.clone());
        parts.timers.keep_elsewhere(bridge.clone());
        bridge.run(parts, &parts.tasks);
    }
    if let Some(shared) = &parts.shared {
        let (beating, stop) = (pulse(shared.clone(), parts.clone()), parts.stop.clone());
        parts.tasks.spawn(async move { stop.run_until_cancelled(beating).await });
    }
}

/// What runs where, in a few lines.
fn introduce(parts: &Parts, address: SocketAddr) {
    let (settings, modules) = (&parts.settings, parts.table.len());
    let records = parts.records.place(&settings.data_dir);
    let live = match (&parts.shared, &parts.bridge) {
        (Some(shared), Some(_)) => {
            format!("Redis, events and timers by RabbitMQ (pod {})", shared.pod())
        }
        (Some(_), None) => "Redis, timers in this process (one server)".to_owned(),
        _ => "and timers in this process (one server)".to_owned(),
    };
    tracing::info!("records in {records}, live games {live}");
    tracing::info!("{modules} handler modules; `typephoon-api handlers` shows what they do");
    let traces = settings.telemetry.otlp_endpoint.as_deref();
    tracing::info!(
        "traces are {}",
        traces.map_or("not exported".into(), |to| format!("sent to {to}"))
    );
    tracing::info!("listening on http://{address} (documentation at /docs)");
}

/// What several pods need beside the services.
fn refuse_half_a_cluster(settings: &Settings) -> Result<(), String> {
    let has_keys = settings.token.private_key.is_some();
    if settings.amqp.is_some() && !has_keys {
        return Err("several pods need the same keys, or nobody is known on the next one: set \
             token.private_key and token.public_key"
            .into());
    }
    Ok(())
}

/// The live state, twice over: as the game knows it, and as pods that share it do.
struct Lives {
    live: Arc<dyn LiveState>,
    shared: Option<RedisLive>,
}

impl Lives {
    async fn open(
        settings: &Settings,
        records: &Records,
        journal: Journal,
    ) -> Result<Self, String> {
        let Some(redis) = &settings.redis else {
            let live = Embedded::resume(records, journal, Timestamp::now()).await;
            let live = live.map_err(|_| "the games of the last run cannot be read")?;
            return Ok(Self { live: Arc::new(live), shared: None });
        };
        let pod = PodName::of_run(settings.server_name.as_deref().unwrap_or("pod"));
        let shared = RedisLive::connect(redis, records.clone(), journal, pod).await?;
        // One clock for all, before anything is decided by it.
        let offset = shared.time_offset().await.map_err(|error| format!("Redis: {error}"))?;
        Timestamp::agree_on(offset);
        Ok(Self { live: Arc::new(shared.clone()), shared: Some(shared) })
    }
}

/// Whether something is written to the data directory: pods that have everything elsewhere may share one.
fn keeps_files(settings: &Settings) -> bool {
    let has_keys = settings.token.private_key.is_some();
    settings.db.is_none() || settings.redis.is_none() || !has_keys
}

/// Makes the data directory, and sees to it that it is ours alone.
fn take_data_dir(data_dir: &Path) -> Result<File, String> {
    let at = data_dir.display();
    let unusable = |error: io::Error| format!("the data directory {at} cannot be written: {error}");
    std::fs::create_dir_all(data_dir).map_err(unusable)?;
    let lock = File::create(data_dir.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(format!("the data directory {at} is in use by another typephoon-api"))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Takes the port. `TCP_NODELAY` and the size of the send buffer are inherited by every connection;
/// without the first, a keystroke waits up to 40 ms for the acknowledgement of the one before.
async fn listen(host: &str, port: u16) -> Result<(TcpAcceptor, SocketAddr), String> {
    let unusable = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "port {port} on {host} is taken by another program; server.port (TP_SERVER__PORT) sets another"
            )
        }
        _ => format!("{host}:{port} cannot be listened on: {error}"),
    };
    let mut addresses = lookup_host((host, port)).await.map_err(unusable)?;
    let address = addresses.next().ok_or_else(|| format!("server.host {host} has no address"))?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let listening = || {
        let socket = socket?;
        socket.set_reuseaddr(true)?;
        socket.set_nodelay(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((TcpAcceptor::try_from(listener)?, address))
    };
    listening().map_err(unusable)
}
