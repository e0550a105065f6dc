//! The declarations of a handler module, in one function: what it hears, emits and shows, its routes, sockets and
//! timers. Types are inferred from the signatures of its functions.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use salvo::Handler as Endpoint;
use salvo::http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{
    Cx, Effect, FrameEntry, InstrumentEntry, Instruments, ModuleTable, Modules, Question,
    Questions, RouteEntry, Setup, SocketEntry, States, Switch, Switches, check,
};
use super::link::Module;
use super::providers::ProviderDeclarations;
use super::route::Route;
use crate::bus::{
    BusBuilder, Emits, Event, EventInfo, Handling, Heard, Latest, Loss, Never, Owner, Pending,
    count_deliveries_from_zero, count_from_zero,
};
use crate::game::{Game, GameId, Timestamp};
use crate::login::identity::Provider;
use crate::settings::Settings;
use crate::socket::{
    Channel, Frame, FrameHandler, FrameHandlers, Malformed, Message, MessageInfo, Messages, Rooms,
    Seat, Socket, SocketRoute, SocketsOf, Whose,
};
use crate::telemetry::{About, Born, Own};
use crate::timers::Timer;
use crate::{Error, Kind};

/// The declared timers, until the settings are available to choose those that are wanted.
#[derive(Default)]
pub(crate) struct TimerDeclarations(Vec<(&'static str, IsWanted, Timer)>);

type IsWanted = fn(&Setup<'_>) -> bool;

impl TimerDeclarations {
    pub(crate) fn wanted(self, settings: &Settings) -> Vec<Timer> {
        let is_wanted = |module, is_wanted: IsWanted| is_wanted(&Setup::of(settings, module));
        let wanted = self.0.into_iter().filter(|(module, wanted, _)| is_wanted(module, *wanted));
        wanted.map(|(.., timer)| timer).collect()
    }
}

/// Everything that the modules declared.
pub struct Declarations {
    /// The wiring table, one row per module.
    pub table: Vec<ModuleTable>,
    pub(crate) bus: BusBuilder<Cx>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) routes: Vec<Route>,
    pub(crate) sockets: Vec<SocketRoute>,
    pub(crate) frames: FrameHandlers,
    pub(crate) timers: TimerDeclarations,
    pub(crate) states: States,
    pub(crate) questions: Questions,
    pub(crate) providers: ProviderDeclarations,
    pub(crate) instruments: Instruments,
    pub(crate) switches: Switches,
}

impl Declarations {
    /// Sets the modules up with these settings, and takes what their contexts reach.
    ///
    /// # Errors
    /// One sentence, if a module cannot be set up.
    pub(crate) fn set_up(&mut self, settings: &Settings) -> Result<Modules, String> {
        Ok(Modules {
            table: take(&mut self.table),
            states: take(&mut self.states).make(settings)?,
            questions: take(&mut self.questions),
            providers: take(&mut self.providers).configure(settings)?,
            instruments: take(&mut self.instruments),
            switches: take(&mut self.switches),
        })
    }
}

/// Lets every module declare itself.
///
/// # Errors
/// One sentence, if two modules claim the same route, socket or frame, or if their `Never` events form a cycle.
pub fn wire(modules: &[Module]) -> Result<Declarations, String> {
    let mut declared = Declarations {
        table: Vec::new(),
        bus: BusBuilder::default(),
        rooms: Arc::default(),
        routes: Vec::new(),
        sockets: Vec::new(),
        frames: HashMap::new(),
        timers: TimerDeclarations::default(),
        states: States::default(),
        questions: Questions::default(),
        providers: ProviderDeclarations::default(),
        instruments: Instruments::default(),
        switches: Switches::default(),
    };
    for module in modules {
        let switch = declared.switches.add(module.name, &declared.rooms);
        let mut wiring = Wiring { row: ModuleTable::new(module.name), switch, to: &mut declared };
        (module.wire)(&mut wiring);
        let row = wiring.row;
        declared.table.push(row);
    }
    check(&declared.table)?;
    Ok(declared)
}

/// Collects the declarations of one module.
pub struct Wiring<'a> {
    row: ModuleTable,
    switch: Arc<Switch>,
    to: &'a mut Declarations,
}

impl Wiring<'_> {
    /// Calls `handler` with every `E`, one at a time per game. What it returns is published.
    pub fn hears<E, T, F>(&mut self, handler: fn(Cx, Heard<E>) -> F)
    where
        E: Event<Loss = Never>,
        T: Emits,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.row.hears(EventInfo::of::<E>());
        self.row.emits(T::kinds());
        let handler = move |cx: Cx, heard| publishing(cx.clone(), handler(cx, heard));
        self.to.bus.hear::<E>(self.row.name, Arc::new(handler));
    }

    /// Lets `decide` answer a question that other modules ask ([`Cx::ask`]), after the modules with a lower priority. It
    /// returns `None` if the question is not for it, and an error to refuse.
    pub fn decides<Q, F>(&mut self, priority: i32, decide: fn(Cx, Arc<Q>) -> F)
    where
        Q: Question,
        F: Future<Output = Result<Option<Q::Answer>, Error>> + Send + 'static,
    {
        count_from_zero(self.row.name, Q::NAME);
        self.row.decides.push(Q::NAME);
        self.to.questions.declare(self.row.name, priority, decide);
    }

    /// Calls `handler` with the positions `E` while it keeps up with them; `reread` when it lagged.
    pub fn listens<E, F, R>(&mut self, handler: fn(Cx, Heard<E>) -> F, reread: fn(Cx) -> R)
    where
        E: Event<Loss = Latest>,
        F: Future<Output = Result<(), Error>> + Send + 'static,
        R: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.row.hears(EventInfo::of::<E>());
        let handler = move |cx: Cx, heard| publishing(cx.clone(), handler(cx, heard));
        let reread = move |cx: Cx| publishing(cx.clone(), reread(cx));
        self.to.bus.listen::<E>(self.row.name, Arc::new(handler), Arc::new(reread));
    }

    /// Shows every `E` to the sockets of its game on `channel`, as the message that `message` returns: called once, in
    /// the publisher's task. A [`Latest`] event is not shown to its own player.
    pub fn shows<E, M>(&mut self, channel: Channel, message: fn(&E) -> M)
    where
        E: Event,
        M: Message + Serialize + 'static,
    {
        self.row.views(E::NAME, Effect::Shown(channel));
        self.row.messages.push(MessageInfo::said::<M>(channel));
        let (rooms, switch) = (self.to.rooms.clone(), self.switch.clone());
        self.to.bus.aged_view(&self.switch, move |event: &E, age| {
            let Some(room) = event.game().and_then(|game| rooms.get(channel, game)) else { return };
            if !switch.is_on() {
                return;
            }
            if <E::Loss as Loss>::CONFLATES {
                let whose = Whose { event: E::NAME, player: event.player().cloned() };
                room.show_position(whose, Frame::of(&message(event)).born(Born::position(age)));
            } else {
                room.show(&Frame::of(&message(event)).born(Born::in_span(age)));
            }
        });
    }

    /// On every `E`, makes the sockets of its game on `channel` catch up ([`Socket::catch_up`]); also while the module
    /// is switched off, since no function of it runs.
    pub fn wakes<E: Event>(&mut self, channel: Channel) {
        self.row.views(E::NAME, Effect::Wakes(channel));
        let rooms = self.to.rooms.clone();
        self.to.bus.view(&self.switch, move |event: &E| {
            if let Some(room) = event.game().and_then(|game| rooms.get(channel, game)) {
                room.wake();
            }
        });
    }

    /// On every `E`, closes sockets of a player; also while the module is switched off, so that logouts take effect.
    pub fn closes<E: Event>(&mut self, which: fn(&E) -> SocketsOf<'_>, why: Kind) {
        self.row.views(E::NAME, Effect::Closes);
        let rooms = self.to.rooms.clone();
        self.to.bus.view(&self.switch, move |event: &E| rooms.close(which(event), why));
    }

    /// Calls `run` once `due` of a game's facts has passed, also after a restart. It must re-read the facts, since it
    /// may be called twice. What it returns is published.
    pub fn timer<T, F>(
        &mut self,
        name: &'static str,
        due: fn(&Game) -> Option<Timestamp>,
        run: fn(Cx, GameId) -> F,
    ) where
        T: Emits,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.optional_timer(name, |_| true, due, run);
    }

    /// The same, if the settings enable it.
    pub fn optional_timer<T, F>(
        &mut self,
        name: &'static str,
        is_wanted: fn(&Setup<'_>) -> bool,
        due: fn(&Game) -> Option<Timestamp>,
        run: fn(Cx, GameId) -> F,
    ) where
        T: Emits,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        count_deliveries_from_zero(self.row.name, name);
        self.row.timers.push(name);
        self.row.emits(T::kinds());
        let (switch, lanes) = (self.switch.clone(), self.to.bus.lanes(self.row.name));
        let run = move |cx: Cx, game| publishing(cx.clone(), run(cx, game));
        let timer = Timer::new(name, switch, due, lanes, run);
        self.to.timers.0.push((self.row.name, is_wanted, timer));
    }

    /// A REST route, without a trailing slash: `GET` (and so `HEAD`).
    pub fn get(&mut self, path: &'static str, endpoint: impl Endpoint) -> &mut Route {
        self.route(Method::GET, path, endpoint)
    }

    /// A REST route that deletes something.
    pub fn delete(&mut self, path: &'static str, endpoint: impl Endpoint) -> &mut Route {
        self.route(Method::DELETE, path, endpoint)
    }

    /// A REST route that changes something.
    pub fn post(&mut self, path: &'static str, endpoint: impl Endpoint) -> &mut Route {
        self.route(Method::POST, path, endpoint)
    }

    fn route(&mut self, method: Method, path: &'static str, endpoint: impl Endpoint) -> &mut Route {
        count_from_zero(self.row.name, "request");
        self.row.routes.push(RouteEntry { method: method.clone(), path });
        let number = self.to.routes.len();
        self.to.routes.push(Route::new(self.row.name, method, path, endpoint));
        &mut self.to.routes[number]
    }

    /// Declares an event that the module's routes publish through [`Cx::publish`], since their signatures do not show
    /// it.
    pub fn emits<E: Event>(&mut self) {
        self.row.emits(vec![EventInfo::of::<E>()]);
    }

    /// A WebSocket.
    pub fn socket<S: Socket>(&mut self) {
        for what in ["request", "open", "catch up", "close"] {
            count_from_zero(self.row.name, what);
        }
        self.row.sockets.push(SocketEntry { path: S::PATH, channel: S::CHANNEL });
        self.row.emits(<S::Emits as Emits>::kinds());
        self.row.messages.extend(<S::Says as Messages>::said(S::CHANNEL));
        self.to.sockets.push(SocketRoute::new::<S>(self.row.name));
    }

    /// Passes messages `M` of clients on `channel` to `handler`, which returns what to publish, or that the frame is
    /// [`Malformed`].
    pub fn frame<M, T>(&mut self, channel: Channel, handler: fn(&Seat, M) -> Result<T, Malformed>)
    where
        M: Message + DeserializeOwned + 'static,
        T: Emits,
    {
        self.row.emits(T::kinds());
        count_from_zero(self.row.name, M::EVENT);
        self.row.messages.push(MessageInfo::taken::<M>(channel));
        self.row.frames.push(FrameEntry { events: M::EVENTS, channel });
        let handler: FrameHandler = Box::new(move |bus, seat, text| {
            let message = serde_json::from_str(text).map_err(|_| Malformed)?;
            Ok(handler(seat, message)?.publish(bus))
        });
        self.to.frames.entry(channel).or_default().insert(M::EVENT, (self.switch.clone(), handler));
    }

    /// Frames that clients may send on `channel` without effect, unless another module handles them.
    pub fn ignores(&mut self, channel: Channel, events: &'static [&'static str]) {
        self.row.messages.push(MessageInfo::ignored(channel, events));
        self.row.ignores.push(FrameEntry { events, channel });
        let frames = self.to.frames.entry(channel).or_default();
        for event in events {
            let switch = self.switch.clone();
            frames.entry(event).or_insert_with(|| (switch, Box::new(|_, _, _| Ok(Pending::DONE))));
        }
    }

    /// Identity providers from the settings; `shown` names them in the wiring table. An error is one sentence, and
    /// aborts the start.
    pub fn providers(
        &mut self,
        shown: &'static str,
        configure: fn(&Setup<'_>) -> Result<Vec<Provider>, String>,
    ) {
        self.row.providers.push(shown);
        self.to.providers.push((self.switch.clone(), configure));
    }

    /// A counter `typephoon_<module>_<name>_total`; [`Cx::counter`] finds it. `help` describes in one sentence what it
    /// counts.
    pub fn counter(&mut self, name: &'static str, help: &'static str) {
        self.instrument(name, Own::counter(self.row.name, name, help));
    }

    /// A gauge `typephoon_<module>_<name>`; [`Cx::gauge`] finds it.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) {
        self.instrument(name, Own::gauge(self.row.name, name, help));
    }

    /// A histogram `typephoon_<module>_<name>` of durations, so that its name ends in `_seconds`;
    /// [`Cx::histogram`] finds it.
    pub fn histogram(&mut self, name: &'static str, help: &'static str) {
        self.instrument(name, Own::histogram(self.row.name, name, help));
    }

    fn instrument(&mut self, name: &'static str, own: Own) {
        let About { name: full, kind, .. } = own.about();
        self.row.counts.push(InstrumentEntry { name: full, kind });
        self.to.instruments.insert((self.row.name, name), own);
    }

    /// State of the module while the server runs, created once at start-up; [`Cx::state`] finds it. An error is one
    /// sentence, and aborts the start.
    pub fn state<S: Send + Sync + 'static>(&mut self, make: fn(&Setup<'_>) -> Result<S, String>) {
        self.to.states.declare(self.row.name, make);
    }
}

/// Runs a function of a module, and publishes what it returns.
fn publishing<T: Emits>(
    cx: Cx,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Handling {
    Box::pin(async move { Ok(work.await?.publish(cx.bus())) })
}
