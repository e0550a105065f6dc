//! The context of handler modules: one handle through which their functions reach the rest of the server.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use salvo::Request;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::switch::{Switch, Switches};
use super::table::ModuleTable;
use super::wiring::FrameHandlers;
use crate::auth::Keys;
use crate::bridge::Bridge;
use crate::bus::{Bus, Emits, Owner};
use crate::drain::Drain;
use crate::game::{Game, Timestamp};
use crate::health::Health;
use crate::http::{Limits, Origins};
use crate::live::{Live, RedisLive};
use crate::login::Providers;
use crate::records::Records;
use crate::settings::Settings;
use crate::socket::Rooms;
use crate::telemetry::{Counter, Gauge, Histogram, Own, count};
use crate::timers::Timers;
use crate::{Error, Kind};

/// The parts of the server that all modules share.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) bus: Arc<Bus<Cx>>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) live: Live,
    pub(crate) records: Records,
    pub(crate) timers: Timers,
    pub(crate) keys: Keys,
    pub(crate) frames: FrameHandlers,
    pub(crate) limits: Arc<Limits>,
    pub(crate) origins: Origins,
    pub(crate) states: MadeStates,
    pub(crate) providers: Providers,
    pub(crate) instruments: Instruments,
    pub(crate) table: Vec<ModuleTable>,
    pub(crate) switches: Switches,
    pub(crate) health: Health,
    /// The live state by the interface between pods, if pods share it.
    pub(crate) shared: Option<RedisLive>,
    /// The bridge to the other pods, if there are any.
    pub(crate) bridge: Option<Arc<Bridge>>,
    /// Whether this pod accepts new sockets.
    pub(crate) drain: Drain,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// The context of a handler module. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    module: &'static str,
    parts: Arc<Parts>,
}

impl Cx {
    pub(crate) fn new(module: &'static str, parts: Arc<Parts>) -> Self {
        Self { module, parts }
    }

    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    /// The name of the module that this context was given to.
    pub fn module(&self) -> &'static str {
        self.module
    }

    /// The module's switch. The runtime's own contexts have none: they are always on.
    fn switch(&self) -> Option<&Arc<Switch>> {
        self.parts.switches.get(self.module)
    }

    /// The time, as facts and records state it.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The settings in effect.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// The live state: the facts of lobbies and races, and transitions on them.
    pub fn live(&self) -> &Live {
        &self.parts.live
    }

    /// The records: accounts, logins and results.
    pub fn records(&self) -> &Records {
        &self.parts.records
    }

    /// The sockets of this pod, by game.
    pub fn rooms(&self) -> &Rooms {
        &self.parts.rooms
    }

    /// The keys that tokens are signed with.
    pub fn keys(&self) -> &Keys {
        &self.parts.keys
    }

    /// The identity providers.
    pub fn providers(&self) -> &Providers {
        &self.parts.providers
    }

    pub(crate) fn bus(&self) -> &Arc<Bus<Cx>> {
        &self.parts.bus
    }

    /// The module's own state, made by the function that it passed to [`Wiring::state`](super::Wiring::state).
    ///
    /// # Panics
    /// If the module has passed none for `S`.
    pub fn state<S: Send + Sync + 'static>(&self) -> Arc<S> {
        let state = self.parts.states.get(&(self.module, TypeId::of::<S>())).cloned();
        state.and_then(|state| state.downcast().ok()).expect("the module declares this state")
    }

    fn instrument(&self, name: &'static str) -> Option<Own> {
        self.parts.instruments.get(&(self.module, name)).copied()
    }

    /// The counter of this name that the module has declared.
    ///
    /// # Panics
    /// If it has declared none.
    pub fn counter(&self, name: &'static str) -> &'static Counter {
        let Some(Own::Counter(counter)) = self.instrument(name) else {
            panic!("the module declares the counter {name}")
        };
        counter
    }

    /// The gauge of this name that the module has declared.
    ///
    /// # Panics
    /// If it has declared none.
    pub fn gauge(&self, name: &'static str) -> &'static Gauge {
        let Some(Own::Gauge(gauge)) = self.instrument(name) else {
            panic!("the module declares the gauge {name}")
        };
        gauge
    }

    /// The histogram of this name that the module has declared.
    ///
    /// # Panics
    /// If it has declared none.
    pub fn histogram(&self, name: &'static str) -> &'static Histogram {
        let Some(Own::Histogram(histogram)) = self.instrument(name) else {
            panic!("the module declares the histogram {name}")
        };
        histogram
    }

    /// Spends one login attempt from the budget of the request's address.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if it has had too many.
    pub fn spend_login(&self, request: &Request) -> Result<(), Error> {
        self.parts.limits.spend_login(request)
    }

    /// Spends one return from an identity provider from the budget of the request's address.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if it has had too many.
    pub fn spend_login_return(&self, request: &Request) -> Result<(), Error> {
        self.parts.limits.spend_login_return(request)
    }

    /// Spends one new guest from the budget of the request's address.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if it has had too many.
    pub fn spend_guest(&self, request: &Request) -> Result<(), Error> {
        self.parts.limits.spend_guest(request)
    }

    /// Checks that this pod can take new players: none of its dependencies is down.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, with the dependency that is down.
    pub fn takes_players(&self) -> Result<(), Error> {
        match self.parts.health.complaint() {
            Some(complaint) => Err(Error::new(Kind::UNAVAILABLE, complaint)),
            None => Ok(()),
        }
    }

    /// Number of players with an open socket, on all pods that share their games. Does not wait: the figures of other
    /// pods are cached, and may be seconds old.
    pub fn players_online(&self) -> u64 {
        let elsewhere = self.parts.shared.as_ref().map_or(0, RedisLive::players_elsewhere);
        self.parts.rooms.players() + elsewhere
    }

    /// Whether a module serves this path.
    pub fn has_route(&self, path: &str) -> bool {
        self.parts.table.iter().flat_map(|row| &row.routes).any(|route| route.path == path)
    }

    /// Whether a request comes from a page with permission to make changes, or not from a browser: see
    /// `Origins::own_page`.
    pub fn asked_by_own_page(&self, request: &Request) -> bool {
        self.parts.origins.own_page(request.headers())
    }

    /// The client's address, to which limits apply.
    pub fn address(&self, request: &Request) -> IpAddr {
        self.parts.limits.address(request)
    }

    /// Publishes events from a route; other handlers return theirs. A module must declare the events that it publishes:
    /// an undeclared one is published all the same, but counted and logged as an error.
    pub async fn publish<T: Emits>(&self, events: T) {
        for kind in T::kinds() {
            let row = self.parts.table.iter().find(|row| row.name == self.module);
            if row.is_some_and(|row| !row.emits.contains(&kind)) {
                count::UNDECLARED.add(1);
                tracing::error!(
                    module = self.module,
                    event = kind.name,
                    "a module publishes an event that it does not declare"
                );
            }
        }
        events.publish(&self.parts.bus).await;
    }

    /// Whether this pod is the only one.
    pub fn is_alone(&self) -> bool {
        self.parts.bridge.is_none()
    }

    /// Sets the timers of a game from its facts: those of all modules.
    pub fn arm(&self, game: &Game) {
        self.parts.timers.arm(game);
    }

    /// Runs `work` in the background until it ends or the server stops. A stop cancels it, so it must not hold work
    /// that has to complete.
    pub fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.parts.stop.clone();
        self.parts.tasks.spawn(async move { stop.run_until_cancelled(work).await });
    }

    /// Tasks that a stop waits for, for work that has to complete after its caller has left.
    pub fn tasks(&self) -> &TaskTracker {
        &self.parts.tasks
    }

    /// Runs `work` to completion, even if the client disconnects meanwhile: for all work that changes facts and
    /// announces the change.
    ///
    /// # Errors
    /// That of `work`; `UNKNOWN_ERROR` if it panics.
    pub async fn carry<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let cx = self.clone();
        let task = async move { crate::bus::guard_part(&cx, "request", work).await };
        let task = self.parts.tasks.spawn(task.in_current_span());
        task.await.unwrap_or_else(|_| Err(Kind::UNAVAILABLE.into()))
    }
}

impl Owner for Cx {
    fn module(&self) -> &'static str {
        self.module
    }

    fn is_on(&self) -> bool {
        self.switch().is_none_or(Owner::is_on)
    }

    fn takes(&self, what: &'static str) -> bool {
        self.switch().is_none_or(|switch| switch.takes(what))
    }

    fn note_panic(&self) {
        if let Some(switch) = self.switch() {
            switch.note_panic();
        }
    }
}

impl std::fmt::Debug for Cx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cx").field(&self.module).finish()
    }
}

/// What a module can use while its state is made.
pub struct Setup<'a> {
    /// The settings in effect.
    pub settings: &'a Settings,
    module: &'static str,
}

impl<'a> Setup<'a> {
    /// The setup of a module.
    pub fn of(settings: &'a Settings, module: &'static str) -> Self {
        Self { settings, module }
    }

    /// The module's own section of the settings, `handlers.<name>`; its defaults if it is absent.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub fn section<S: DeserializeOwned + Default>(&self) -> Result<S, String> {
        let Some(section) = self.settings.handlers.sections.get(self.module) else {
            return Ok(S::default());
        };
        serde_path_to_error::deserialize(section).map_err(|error| {
            format!("setting handlers.{}.{}: {}", self.module, error.path(), error.inner())
        })
    }

    /// Where the server keeps its files.
    pub fn data_dir(&self) -> &Path {
        &self.settings.data_dir
    }
}

/// The instruments of modules, by module and name.
pub(crate) type Instruments = HashMap<(&'static str, &'static str), Own>;

type State = Arc<dyn Any + Send + Sync>;
/// The states of modules, by module and type.
pub(crate) type MadeStates = HashMap<(&'static str, TypeId), State>;
type Made = ((&'static str, TypeId), State);
type Make = Box<dyn FnOnce(&Settings) -> Result<Made, String> + Send>;

/// The functions that make the states of modules, until the settings are loaded.
#[derive(Default)]
pub(crate) struct States(Vec<Make>);

impl States {
    pub(super) fn declare<S: Send + Sync + 'static>(
        &mut self,
        module: &'static str,
        make: fn(&Setup<'_>) -> Result<S, String>,
    ) {
        self.0.push(Box::new(move |settings| {
            let state = make(&Setup { settings, module })?;
            Ok(((module, TypeId::of::<S>()), Arc::new(state) as _))
        }));
    }

    pub(crate) fn make(self, settings: &Settings) -> Result<MadeStates, String> {
        self.0.into_iter().map(|make| make(settings)).collect()
    }
}
