//! The declarations of a handler module, in one function: what it hears, emits and shows, its routes, sockets and
//! timers. Types are inferred from the signatures of its functions.

use std::mem::take;
use std::sync::Arc;

use salvo::Handler as Endpoint;
use salvo::http::Method;

use super::command::{BUILT_IN, Command, Given};
use super::context::{
    ClientEntry, Cx, Ground, InstrumentEntry, Instruments, Keeping, LaterGround, ModuleTable,
    Modules, Need, Question, Questions, Setup, Slot, States, Switch, Switches, check,
};
use super::link::Module;
use super::providers::ProviderDeclarations;
use super::route::Route;
use crate::Error;
use crate::bus::{
    BusBuilder, Emits, Event, EventInfo, Handling, Heard, Latest, Never,
    count_deliveries_from_zero, count_from_zero,
};
use crate::game::{Game, GameId, Timestamp};
use crate::login::identity::Provider;
use crate::records::Derivation;
use crate::settings::Settings;
use crate::socket::{FrameHandlers, Rooms, SocketRoute};
use crate::telemetry::{About, ModuleInstrument};
use crate::timers::Timer;

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
    pub(crate) ground: LaterGround,
    pub(crate) questions: Questions,
    pub(crate) providers: ProviderDeclarations,
    pub(crate) instruments: Instruments,
    pub(crate) switches: Switches,
    pub(crate) keeping: Keeping,
    pub(crate) derivations: Vec<Derivation>,
    pub(crate) commands: Vec<Command>,
}

impl Declarations {
    /// Sets the modules up with these settings, and takes what their contexts reach. Called once.
    ///
    /// # Errors
    /// One sentence, if a module cannot be set up.
    pub(crate) fn set_up(&mut self, settings: Settings) -> Result<(Modules, Arc<Ground>), String> {
        let modules = Modules {
            table: take(&mut self.table),
            questions: take(&mut self.questions),
            providers: take(&mut self.providers).configure(&settings)?,
            instruments: take(&mut self.instruments),
            switches: take(&mut self.switches),
            keeping: take(&mut self.keeping),
        };
        let states = take(&mut self.states).make(&settings)?;
        let ground = self.ground.get_or_init(|| Arc::new(Ground { settings, states }));
        Ok((modules, ground.clone()))
    }
}

/// Lets every module declare itself.
///
/// # Errors
/// One sentence, if two modules claim the same route, socket, frame or command, or if their `Never` events form a cycle.
pub fn wire(modules: &[Module]) -> Result<Declarations, String> {
    let mut declared = Declarations {
        table: Vec::new(),
        bus: BusBuilder::default(),
        rooms: Arc::default(),
        routes: Vec::new(),
        sockets: Vec::new(),
        frames: FrameHandlers::default(),
        timers: TimerDeclarations::default(),
        states: States::default(),
        ground: LaterGround::default(),
        questions: Questions::default(),
        providers: ProviderDeclarations::default(),
        instruments: Instruments::default(),
        switches: Switches::default(),
        keeping: Keeping::default(),
        derivations: Vec::new(),
        commands: Vec::new(),
    };
    for module in modules {
        let switch = declared.switches.add(module.name, &declared.rooms);
        let mut wiring = Wiring { row: ModuleTable::new(module.name), switch, to: &mut declared };
        (module.wire)(&mut wiring);
        let mut row = wiring.row;
        let routes = declared.routes.iter().filter(|route| route.module == module.name);
        row.routes = routes.map(|route| route.entry.clone()).collect();
        let commands = declared.commands.iter().filter(|command| command.module == module.name);
        row.commands = commands.map(|command| command.entry.clone()).collect();
        declared.table.push(row);
    }
    check(&declared.table, &BUILT_IN)?;
    Ok(declared)
}

/// Collects the declarations of one module.
pub struct Wiring<'a> {
    pub(super) row: ModuleTable,
    pub(super) switch: Arc<Switch>,
    pub(super) to: &'a mut Declarations,
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
        let number = self.to.routes.len();
        self.to.routes.push(Route::new(self.row.name, method, path, endpoint));
        &mut self.to.routes[number]
    }

    /// Declares an event that the module's routes publish through [`Cx::publish`], since their signatures do not show
    /// it.
    pub fn emits<E: Event>(&mut self) {
        self.row.emits(vec![EventInfo::of::<E>()]);
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

    /// Declares what the module reaches of the rest of the server. Without it, the methods of [`Cx`] that lead there
    /// panic.
    pub fn needs(&mut self, need: Need) {
        self.row.needs.push(need);
    }

    /// Fills a slot of the built-in client with `file`, a JavaScript module in the folder `web` of the handler module
    /// (`docs/client.md`). While the module is off, the client leaves it out.
    pub fn client(&mut self, slot: Slot, file: &'static str) -> &mut ClientEntry {
        let number = self.row.client.len();
        self.row.client.push(ClientEntry { slot, file, role: None });
        &mut self.row.client[number]
    }

    /// A counter `typephoon_<module>_<name>_total`; [`Cx::counter`] finds it. `help` describes in one sentence what it
    /// counts.
    pub fn counter(&mut self, name: &'static str, help: &'static str) {
        self.instrument(name, ModuleInstrument::counter(self.row.name, name, help));
    }

    /// A gauge `typephoon_<module>_<name>`; [`Cx::gauge`] finds it.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) {
        self.instrument(name, ModuleInstrument::gauge(self.row.name, name, help));
    }

    /// A histogram `typephoon_<module>_<name>` of durations, so that its name ends in `_seconds`;
    /// [`Cx::histogram`] finds it.
    pub fn histogram(&mut self, name: &'static str, help: &'static str) {
        self.instrument(name, ModuleInstrument::histogram(self.row.name, name, help));
    }

    fn instrument(&mut self, name: &'static str, own: ModuleInstrument) {
        let About { name: full, kind, .. } = own.about();
        self.row.counts.push(InstrumentEntry { name: full, kind });
        self.to.instruments.insert((self.row.name, name), own);
    }

    /// A command of the program, `typephoon-api NAME …`, which runs without a server: what `run` returns is printed.
    pub fn command(
        &mut self,
        name: &'static str,
        about: &'static str,
        run: fn(&Setup<'_>, &Given) -> Result<String, String>,
    ) -> &mut Command {
        let number = self.to.commands.len();
        self.to.commands.push(Command::new(self.row.name, name, about, run));
        &mut self.to.commands[number]
    }

    /// State of the module while the server runs, created once at start-up; [`Cx::state`] finds it. An error is one
    /// sentence, and aborts the start.
    pub fn state<S: Send + Sync + 'static>(&mut self, make: fn(&Setup<'_>) -> Result<S, String>) {
        self.to.states.declare(self.row.name, make);
    }
}

/// Runs a function of a module, and publishes what it returns.
pub(super) fn publishing<T: Emits>(
    cx: Cx,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Handling {
    Box::pin(async move { Ok(work.await?.publish(cx.bus())) })
}
