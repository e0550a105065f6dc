//! The whole server: built from settings, run until it is stopped.

use std::fs::File;
use std::io;
use std::mem::take;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use salvo::Service;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Roles, TokenKeys};
use crate::background;
use crate::bridge::{Bridge, Pod, pulse};
use crate::bus::Listeners;
use crate::clock::{self, KeptOffset};
use crate::drain::{self, Drain};
use crate::game::{PodName, Timestamp};
use crate::health::Services;
use crate::http::{
    Acceptor, Caps, Ends, Limits, Listener, Origins, local_address, room_for_connections, serve,
    service,
};
use crate::live::{InProcess, Live, RedisLive};
use crate::module::context::{CxParts, Ground, Modules, start_clocks};
use crate::module::{Cx, linked, wire};
use crate::operations::{self, Port};
use crate::peers::Peers;
use crate::records::{Journal, Records};
use crate::settings::Settings;
use crate::socket::Sockets;
use crate::timers::Timers;

/// How long a stop may take once its drain is over.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take after that to send the last messages to the other pods.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A server that is ready to run.
pub struct Application {
    /// The runtime's own context.
    cx: Cx,
    /// What the bridge acts on.
    pod: Arc<Pod>,
    shared: Option<RedisLive>,
    service: Service,
    listeners: Listeners<Cx>,
    listener: Listener,
    address: SocketAddr,
    /// The operations port, if there is one.
    operations: Option<Port>,
    keepers: TaskTracker,
    keepers_stop: CancellationToken,
    /// Held as long as the server runs, so that no second server uses the data directory.
    _lock: Option<File>,
}

impl Application {
    /// Binds the port, opens the records (`init` migrates the tables of PostgreSQL), and resumes the games of the last
    /// run.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub async fn build(settings: Settings, init: bool) -> Result<Self, String> {
        refuse_half_a_cluster(&settings)?;
        let mut declared = wire(&linked(&settings.handlers.disabled)?)?;
        operations::wire(&mut declared, &settings);
        let (modules, ground) = declared.set_up(settings)?;
        let settings = &ground.settings;
        let _lock = take_data_dir(settings)?;
        let keys = TokenKeys::load(settings)?;
        let caps = Caps::of(&settings.limits, room_for_connections(settings.limits.sockets));
        let acceptor = Acceptor::bind(&settings.server.host, settings.server.port, caps).await?;
        let operations = Port::bind(&settings.operations).await?;
        let (keepers, keepers_stop) = (TaskTracker::new(), CancellationToken::new());
        let opening = async {
            let records = Records::open(settings, init).await?;
            records.derive_by(take(&mut declared.derivations));
            let journal = Journal::start(records.clone(), &keepers, keepers_stop.clone());
            Ok((Lives::open(settings, &records, journal).await?, records))
        };
        let (Lives { live, shared }, records) = acceptor.answer_while(opening).await?;
        let both = settings.amqp.as_ref().zip(shared.as_ref());
        let bridge = both.map(|(amqp, shared)| Bridge::new(amqp, shared.clone())).transpose()?;
        let timers = declared.timers.wanted(settings);
        let timers = Timers::new(timers, live.clone(), bridge.clone().map(|it| it as _));
        let peers = Peers::new(shared.clone(), bridge.clone().map(|it| it as _));
        let services = Services { records, live, peers, health: Arc::default() };
        let (bus, listeners) = declared.bus.build();
        let pod = Arc::new(Pod {
            bus,
            rooms: declared.rooms,
            channels: declared.frames.keys().copied().collect(),
            live: services.live.clone(),
            records: services.records.clone(),
            timers,
            delays: settings.game.clone(),
            services,
            bridge: bridge.clone(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        let cx = context(ground, keys, modules, &pod);
        let sockets = Arc::new(Sockets { frames: declared.frames, bridge });
        let service = service(&cx, declared.routes, declared.sockets, &sockets);
        let (listener, address) = acceptor.open()?;
        Ok(Self {
            cx,
            pod,
            shared,
            service,
            listeners,
            listener,
            address,
            operations,
            keepers,
            keepers_stop,
            _lock,
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    #[cfg(test)]
    pub(crate) fn cx(&self) -> &Cx {
        &self.cx
    }

    /// Serves until `stop`, then drains and finishes running work.
    ///
    /// # Errors
    /// One sentence, if the live state cannot be read.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), String> {
        let cx = &self.cx;
        self.listeners.run(|module| cx.of(module), cx.tasks(), cx.stop());
        let (among_pods, sockets_ended) = (TaskTracker::new(), CancellationToken::new());
        join_the_others(&self.pod, self.shared.as_ref(), &among_pods, &sockets_ended);
        self.pod.services.look().await;
        cx.spawn_background(self.pod.services.clone().watch());
        operations::poll_switches(cx).await;
        let (rooms, over) = (self.pod.rooms.clone(), cx.settings().shutdown.drain);
        cx.spawn_background(drain::run(cx.drain().clone(), rooms, cx.peers().clone(), over));
        cx.live().visit_games(|game| cx.arm(game)).await.map_err(|error| error.to_string())?;
        cx.spawn_background(self.pod.timers.clone().run());
        start_clocks(cx);
        let heartbeat = cx.settings().limits.heartbeat;
        self.pod.rooms.tasks(heartbeat).into_iter().for_each(|it| cx.spawn_background(it));
        let ticks = cx.stop().clone().run_until_cancelled_owned(self.pod.rooms.ticks());
        background::run("ticks", async move { ticks.await.unwrap_or_default() })?;
        if let Some(port) = self.operations {
            tracing::info!("operations (metrics, probes, /ops) on http://{}", port.address);
            operations::serve(port, cx, &self.keepers, &self.keepers_stop);
        }
        if self.shared.is_none() {
            let kept = KeptOffset::in_folder(&cx.settings().data_dir);
            let timers = self.pod.timers.clone();
            cx.spawn_background(clock::follow_system(kept, move || timers.are_idle()));
        }
        introduce(cx, self.address);

        let patience = cx.settings().limits.request_timeout;
        let ends = Ends { drain: cx.drain().clone(), stop: cx.stop().clone() };
        let mut serving = std::pin::pin!(serve(self.listener, self.service, patience, &ends));
        tokio::select! {
            () = serving.as_mut() => return Err("serving ended before the stop".into()),
            () = stop => {}
        }
        tracing::info!("stopping; a second signal ends it at once");
        tokio::select! {
            () = serving.as_mut() => return Err("serving ended before the stop".into()),
            () = cx.drain().complete() => {}
        }
        cx.stop().cancel();
        cx.tasks().close();
        let ended = async { tokio::join!(serving, cx.tasks().wait()) };
        if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
            tracing::warn!("some tasks were still running after {STOP_PATIENCE:?}");
        }
        sockets_ended.cancel();
        leave_the_others(&self.pod, self.shared.as_ref(), &among_pods).await;
        self.keepers_stop.cancel();
        self.keepers.close();
        self.keepers.wait().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The runtime's own context, from which those of the modules are made.
fn context(ground: Arc<Ground>, keys: TokenKeys, modules: Modules, pod: &Pod) -> Cx {
    let settings = &ground.settings;
    let parts = CxParts {
        bus: pod.bus.clone(),
        rooms: pod.rooms.clone(),
        live: pod.live.clone(),
        records: pod.records.clone(),
        timers: pod.timers.clone(),
        roles: Roles::of(&settings.auth),
        keys,
        limits: Arc::new(Limits::of(&settings.limits)),
        origins: Origins::of(settings),
        modules,
        health: pod.services.health.clone(),
        peers: pod.services.peers.clone(),
        drain: Drain::default(),
        tasks: pod.tasks.clone(),
        turns: Mutex::default(),
        stop: pod.stop.clone(),
        ground,
    };
    Cx::new("runtime", Arc::new(parts))
}

/// Starts the tasks between pods, if there are several. They outlive the sockets: until then they tell the other pods
/// which players leave, and that this pod is alive.
fn join_the_others(
    pod: &Arc<Pod>,
    shared: Option<&RedisLive>,
    tasks: &TaskTracker,
    ends: &CancellationToken,
) {
    if let Some(bridge) = &pod.bridge {
        pod.bus.travel_by(bridge.clone());
        bridge.run(pod, tasks, ends);
    }
    if let Some(shared) = shared {
        let beating = pulse(shared.clone(), pod.clone());
        tasks.spawn(ends.clone().run_until_cancelled_owned(beating));
    }
}

/// Waits until everything is sent to the other pods, and removes this one from the list of live pods.
async fn leave_the_others(pod: &Pod, shared: Option<&RedisLive>, among_pods: &TaskTracker) {
    among_pods.close();
    if tokio::time::timeout(LAST_WORDS, among_pods.wait()).await.is_err() {
        tracing::warn!("not everything was told to the other pods after {LAST_WORDS:?}");
    }
    if let Some(bridge) = &pod.bridge {
        bridge.leave_alarms().await;
    }
    if let Some(shared) = shared
        && let Err(error) = shared.farewell().await
    {
        tracing::warn!(%error, "the other pods will consider this one alive for some seconds");
    }
}

/// Logs the configuration in a few lines.
fn introduce(cx: &Cx, address: SocketAddr) {
    let (settings, modules) = (cx.settings(), cx.table().len());
    let records = cx.records().place(&settings.data_dir);
    let live = match cx.peers().own_name() {
        Some(pod) if !cx.is_alone() => format!("Redis, events and timers by RabbitMQ (pod {pod})"),
        Some(_) => "Redis, timers in this process (one server)".to_owned(),
        None => "and timers in this process (one server)".to_owned(),
    };
    tracing::info!("records in {records}, live games {live}");
    tracing::info!("{modules} handler modules; `typephoon-api handlers` shows what they do");
    let traces = settings.telemetry.otlp_endpoint.as_deref();
    tracing::info!(
        "traces are {}",
        traces.map_or("not exported".into(), |to| format!("sent to {to}"))
    );
    tracing::info!("listening on http://{address}");
    let site = site_of(address);
    if settings.web.enabled {
        let others = site_for_others(address)
            .map_or(String::new(), |site| format!(", others on this network {site}"));
        tracing::info!("open {site} to play{others} (documentation at /docs)");
    } else {
        tracing::info!("documentation at {site}/docs");
    }
}

/// The URL for browsers in the local network, if it listens there.
fn site_for_others(address: SocketAddr) -> Option<String> {
    let own = local_address().filter(|_| address.ip().is_unspecified())?;
    Some(format!("http://{own}:{}", address.port()))
}

/// The URL for a browser on this machine: `0.0.0.0` stands for all addresses and is not a destination.
fn site_of(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    }
}

/// Checks the settings that several pods need besides the services.
fn refuse_half_a_cluster(settings: &Settings) -> Result<(), String> {
    let has_keys = settings.token.private_key.is_some();
    if settings.amqp.is_some() && !has_keys {
        return Err(
            "several pods need the same keys, or each refuses the tokens of the others: set \
             token.private_key and token.public_key"
                .into(),
        );
    }
    Ok(())
}

/// The live state by its two interfaces: that of the game, and that of pods that share it.
struct Lives {
    live: Live,
    shared: Option<RedisLive>,
}

impl Lives {
    async fn open(
        settings: &Settings,
        records: &Records,
        journal: Journal,
    ) -> Result<Self, String> {
        let Some(redis) = &settings.redis else {
            clock::resume(&KeptOffset::in_folder(&settings.data_dir));
            let live = InProcess::resume(records, journal, Timestamp::now()).await;
            let live = live.map_err(|_| "the games of the last run cannot be read")?;
            return Ok(Self { live: Live::in_process(live), shared: None });
        };
        let pod = PodName::of_run(settings.server_name.as_deref().unwrap_or("pod"));
        let shared = RedisLive::connect(redis, records.clone(), journal, pod).await?;
        // Set the shared clock before anything depends on it.
        shared.set_clock().await.map_err(|error| format!("Redis: {error}"))?;
        Ok(Self { live: Live::on_redis(shared.clone()), shared: Some(shared) })
    }
}

/// Whether anything is written to the data directory; pods without local files may share one.
fn keeps_files(settings: &Settings) -> bool {
    let has_keys = settings.token.private_key.is_some();
    settings.db.is_none() || settings.redis.is_none() || !has_keys
}

/// Creates the data directory, if it is needed, and locks it.
fn take_data_dir(settings: &Settings) -> Result<Option<File>, String> {
    if !keeps_files(settings) {
        return Ok(None);
    }
    let data_dir = &settings.data_dir;
    let at = data_dir.display();
    let unusable = |error: io::Error| format!("the data directory {at} cannot be written: {error}");
    std::fs::create_dir_all(data_dir).map_err(unusable)?;
    let lock = File::create(data_dir.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(format!("the data directory {at} is in use by another typephoon-api"))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(unusable(error)),
    }
}
