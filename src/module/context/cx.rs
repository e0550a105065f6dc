//! The context of handler modules: one handle through which their functions reach the rest of the server.

mod audit;
mod needs;
mod parts;

pub(crate) use parts::{CxParts, Modules};

use std::any::TypeId;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use salvo::Request;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use self::parts::HasParts;
use super::brief::Ground;
use super::keeping::Keeping;
use super::question::Question;
use super::switch::{Switch, Switches};
use super::table::ModuleTable;
use crate::auth::Role;
use crate::bus::{Bus, Emits, Owner};
use crate::drain::Drain;
use crate::game::{Game, Timestamp, User};
use crate::health::Health;
use crate::http::edge::{Limits, Origins};
use crate::live::Live;
use crate::peers::Peers;
use crate::settings::Settings;
use crate::socket::rooms::Rooms;
use crate::telemetry::{Counter, Gauge, Histogram, ModuleInstrument, count};
use crate::{Error, Kind};

/// Work of a module that runs at the same time, of that which waits for its turn ([`Cx::spawn_in_turn`]): enough to keep a database busy.
pub(crate) const TURNS: usize = 4;

/// The context of a handler module. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    module: &'static str,
    held: Arc<dyn HasParts>,
}

impl Cx {
    pub(crate) fn new(module: &'static str, parts: Arc<CxParts>) -> Self {
        Self { module, held: parts }
    }

    /// The context of another module.
    pub(crate) fn of(&self, module: &'static str) -> Self {
        Self { module, held: self.held.clone() }
    }

    fn parts(&self) -> &CxParts {
        self.held.parts()
    }

    /// The name of the module that this context was given to.
    pub fn module(&self) -> &'static str {
        self.module
    }

    /// The module's switch. The runtime's own contexts have none: they are always on.
    fn switch(&self) -> Option<&Arc<Switch>> {
        self.switches().get(self.module)
    }

    /// The time, as facts and records state it.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The settings in effect.
    pub fn settings(&self) -> &Settings {
        &self.parts().ground.settings
    }

    /// The live state: the facts of lobbies and races, and transitions on them.
    pub fn live(&self) -> &Live {
        &self.parts().live
    }

    /// The sockets of this pod, by game.
    pub fn rooms(&self) -> &Rooms {
        &self.parts().rooms
    }

    /// Asks the modules that decide a question, in the order of their priorities, until one has an answer. `None` if none
    /// has. Modules that are off are passed over.
    ///
    /// # Errors
    /// That of the module that refuses; `UNKNOWN_ERROR` if it panics, `SERVICE_UNAVAILABLE` if it takes too long.
    pub async fn ask<Q: Question>(&self, question: Q) -> Result<Option<Q::Answer>, Error> {
        self.parts().modules.questions.ask(self, question).await
    }

    /// Asks all modules that decide a question. Returns the answers of those that have one, in the order of their
    /// priorities.
    ///
    /// # Errors
    /// As of [`ask`](Self::ask).
    pub async fn ask_all<Q: Question>(&self, question: Q) -> Result<Vec<Q::Answer>, Error> {
        self.parts().modules.questions.ask_all(self, question).await
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.parts().ground
    }

    pub(crate) fn bus(&self) -> &Arc<Bus<Cx>> {
        &self.parts().bus
    }

    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.parts().limits
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.parts().origins
    }

    pub(crate) fn table(&self) -> &[ModuleTable] {
        &self.parts().modules.table
    }

    pub(crate) fn switches(&self) -> &Switches {
        &self.parts().modules.switches
    }

    pub(super) fn keeping(&self) -> &Keeping {
        &self.parts().modules.keeping
    }

    pub(crate) fn health(&self) -> &Health {
        &self.parts().health
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.parts().peers
    }

    pub(crate) fn drain(&self) -> &Drain {
        &self.parts().drain
    }

    /// Cancelled when the server stops.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.parts().stop
    }

    /// The module's own state, made by the function that it passed to [`Wiring::state`](crate::module::Wiring::state).
    ///
    /// # Panics
    /// If the module has passed none for `S`.
    pub fn state<S: Send + Sync + 'static>(&self) -> Arc<S> {
        let state = self.parts().ground.states.get(&(self.module, TypeId::of::<S>())).cloned();
        state.and_then(|state| state.downcast().ok()).expect("the module declares this state")
    }

    fn instrument(&self, name: &'static str) -> Option<ModuleInstrument> {
        self.parts().modules.instruments.get(&(self.module, name)).copied()
    }

    /// The counter of this name that the module has declared.
    ///
    /// # Panics
    /// If it has declared none.
    pub fn counter(&self, name: &'static str) -> &'static Counter {
        let Some(ModuleInstrument::Counter(counter)) = self.instrument(name) else {
            panic!("the module declares the counter {name}")
        };
        counter
    }

    /// The gauge of this name that the module has declared.
    ///
    /// # Panics
    /// If it has declared none.
    pub fn gauge(&self, name: &'static str) -> &'static Gauge {
        let Some(ModuleInstrument::Gauge(gauge)) = self.instrument(name) else {
            panic!("the module declares the gauge {name}")
        };
        gauge
    }

    /// The histogram of this name that the module has declared.
    ///
    /// # Panics
    /// If it has declared none.
    pub fn histogram(&self, name: &'static str) -> &'static Histogram {
        let Some(ModuleInstrument::Histogram(histogram)) = self.instrument(name) else {
            panic!("the module declares the histogram {name}")
        };
        histogram
    }

    /// Spends one login attempt from the budget of the request's address.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if it has had too many.
    pub fn spend_login(&self, request: &Request) -> Result<(), Error> {
        self.parts().limits.spend_login(request)
    }

    /// Spends one return from an identity provider from the budget of the request's address.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if it has had too many.
    pub fn spend_login_return(&self, request: &Request) -> Result<(), Error> {
        self.parts().limits.spend_login_return(request)
    }

    /// Spends one new guest from the budget of the request's address.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if it has had too many.
    pub fn spend_guest(&self, request: &Request) -> Result<(), Error> {
        self.parts().limits.spend_guest(request)
    }

    /// Checks that this pod can take new players: none of its dependencies is down.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, with the dependency that is down.
    pub fn takes_players(&self) -> Result<(), Error> {
        match self.parts().health.complaint() {
            Some(complaint) => Err(Error::new(Kind::UNAVAILABLE, complaint)),
            None => Ok(()),
        }
    }

    /// Number of players with an open socket, on all pods that share their games. Does not wait: the figures of other
    /// pods are cached, and may be seconds old.
    pub fn players_online(&self) -> u64 {
        self.parts().rooms.players() + self.parts().peers.players()
    }

    /// Whether a request comes from a page with permission to make changes, or not from a browser: see
    /// `Origins::own_page`.
    pub fn asked_by_own_page(&self, request: &Request) -> bool {
        self.parts().origins.own_page(request.headers())
    }

    /// The role of a user.
    pub fn role_of(&self, user: &User) -> Role {
        self.parts().roles.of_user(user)
    }

    /// The client's address, to which limits apply.
    pub fn address(&self, request: &Request) -> IpAddr {
        self.parts().limits.address(request)
    }

    /// Publishes events from a route; other handlers return theirs. A module must declare the events that it publishes:
    /// an undeclared one is published all the same, but counted and logged as an error.
    pub async fn publish<T: Emits>(&self, events: T) {
        for kind in T::kinds() {
            let row = self.table().iter().find(|row| row.name == self.module);
            if row.is_some_and(|row| !row.emits.contains(&kind)) {
                count::UNDECLARED.add(1);
                tracing::error!(
                    module = self.module,
                    event = kind.name,
                    "a module publishes an event that it does not declare"
                );
            }
        }
        events.publish(&self.parts().bus).await;
    }

    /// Whether this pod is the only one.
    pub fn is_alone(&self) -> bool {
        self.parts().peers.are_none()
    }

    /// Sets the timers of a game from its facts: those of all modules.
    pub fn arm(&self, game: &Game) {
        self.parts().timers.arm(game);
    }

    /// Runs `work` in the background until it ends or the server stops. A stop cancels it, so it must not hold work
    /// that has to complete.
    pub fn spawn_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.parts().stop.clone();
        self.parts().tasks.spawn(async move { stop.run_until_cancelled(work).await });
    }

    /// The same for work that many players cause at the same moment, such as what is stored in the middle of a race: four of
    /// this module at once, in order, so that keystrokes are relayed meanwhile. It must not try again and again: others wait.
    pub fn spawn_in_turn<W: Future<Output = ()> + Send>(
        &self,
        work: impl FnOnce() -> W + Send + 'static,
    ) {
        let new = || Arc::new(Semaphore::new(TURNS));
        let turns = self.parts().turns.lock().entry(self.module).or_insert_with(new).clone();
        self.spawn_background(async move {
            // It is never closed.
            let Ok(_turn) = turns.acquire().await else { return };
            Box::pin(work()).await;
        });
    }

    /// Tasks that a stop waits for, for work that has to complete after its caller has left.
    pub fn tasks(&self) -> &TaskTracker {
        &self.parts().tasks
    }

    /// Runs `work` to completion, even if the client disconnects meanwhile: for all work that changes facts and
    /// announces the change.
    ///
    /// # Errors
    /// That of `work`; `UNKNOWN_ERROR` if it panics.
    pub async fn run_to_completion<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let cx = self.clone();
        let task = async move { crate::bus::guard_part(&cx, "request", work).await };
        let task = self.parts().tasks.spawn(task.in_current_span());
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

    fn time_budget(&self) -> Duration {
        self.settings().handlers.time_budget
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
