//! The server under test: a process of its own, on a port that the system chose, with a data directory that goes away
//! with it.
//!
//! ```ignore
//! let server = Server::start().await;                       // lobbies wait for long, no result is doubted
//! let server = Server::for_players(2).await;                // the second player starts the race
//! let server = Server::with().set("game.lobby_countdown", 0.3).start().await;
//! ```
//!
//! It is killed when dropped; if the test has failed, what it printed is shown.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::persona::{Player, QUEUE_IN};
use crate::process::{self, Launch, Log, Outcome, Process};
use crate::signing;
use crate::site::{NOBODY, Site};
use crate::socket::Socket;

/// How long anybody waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a server may take to end, once asked to.
const STOP: Duration = Duration::from_secs(15);
/// How long a server that listens may take to find all that it needs.
const READY: Duration = Duration::from_secs(20);

/// Held for reading by every server, for writing by a test that needs the machine for itself.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// Waits until no other test runs a server, and keeps them out.
pub async fn machine_for_itself() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().await
}

/// For the few tests whose subject is time that has gone by, not an answer that one could wait for.
pub async fn time_passes(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Asks again and again until there is an answer.
pub async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, ask).await
}

/// The same for what takes its time.
pub async fn within<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The settings of a server that has not been started yet.
pub struct Settings {
    values: BTreeMap<&'static str, String>,
    arguments: Vec<String>,
    home: TempDir,
    log_level: Option<&'static str>,
    name: Option<String>,
    alone: bool,
}

impl Settings {
    /// Lobbies that wait until they are full, and limits that no test meets by accident.
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let (values, arguments) = (BTreeMap::new(), Vec::new());
        let settings = Self { values, arguments, home, log_level: None, name: None, alone: false };
        let wide = 1_000_000;
        settings
            .set("server.host", "127.0.0.1")
            .set("server.port", 0)
            .set("game.lobby_countdown", 60)
            .set("game.start_countdown", 0.3)
            .set("game.check_results", false)
            .set("token.private_key", signing::PRIVATE_KEY)
            .set("token.public_key", signing::PUBLIC_KEY)
            .set("limits.guests_per_minute", wide)
            .set("limits.requests_per_second", wide)
            .set("limits.frames_per_second", wide)
    }

    /// One setting by its key in the settings file, such as `game.player_limit`.
    pub fn set(mut self, key: &'static str, value: impl ToString) -> Self {
        self.values.insert(key, value.to_string());
        self
    }

    /// Leaves a setting to the server.
    pub fn unset(mut self, key: &'static str) -> Self {
        self.values.remove(key);
        self
    }

    /// An argument on the command line.
    pub fn argument(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// `LOG_LEVEL`, which has a name of its own.
    pub fn log_level(mut self, level: &'static str) -> Self {
        self.log_level = Some(level);
        self
    }

    /// `SERVER_NAME`, likewise.
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// A file in the directory in which the server is started.
    pub fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.home.path().join(name), text).expect("a file beside the data");
        self
    }

    /// For a caller of [`machine_for_itself`], who must not wait for himself.
    pub fn alone(mut self, _machine: &RwLockWriteGuard<'static, ()>) -> Self {
        self.alone = true;
        self
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(self) -> Server {
        self.start_while(async |_| {}).await
    }

    /// The same while something else goes on, which can read what the server prints.
    pub async fn start_while(self, meanwhile: impl AsyncFnOnce(&Log)) -> Server {
        let place = if self.alone { None } else { Some(MACHINE.read().await) };
        let launch = Launch::of(self.command(0));
        let log = launch.log();
        let (process, ()) = tokio::join!(launch.listens(), meanwhile(&log));
        let site = Site::new(process.port);
        let server = Server { site, process: Some(process), settings: self, _place: place };
        server.is_ready().await;
        server
    }

    /// Runs the program to its end, for start-ups that are to fail and commands that only print.
    pub fn run(self) -> Outcome {
        process::run(self.command(0))
    }

    /// The data directory; it exists.
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn command(&self, port: u16) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_typephoon-api"));
        for (name, _) in std::env::vars() {
            if ["TP_", "OTEL_", "LOG_LEVEL", "RUST_LOG", "SERVER_NAME"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        std::fs::create_dir_all(self.data_dir()).expect("a data directory");
        command.env("TP_DATA_DIR", self.data_dir());
        for (key, value) in &self.values {
            command.env(variable(key), value);
        }
        if let Some(level) = self.log_level {
            command.env("LOG_LEVEL", level);
        }
        if let Some(name) = &self.name {
            command.env("SERVER_NAME", name);
        }
        if port != 0 {
            command.env(variable("server.port"), port.to_string());
        }
        command.args(&self.arguments).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// `game.player_limit` is `TP_GAME__PLAYER_LIMIT` in the environment.
fn variable(key: &str) -> String {
    format!("TP_{}", key.replace('.', "__").to_uppercase())
}

/// A running server; speaks HTTP through [`Site`].
pub struct Server {
    site: Site,
    process: Option<Process>,
    settings: Settings,
    _place: Option<RwLockReadGuard<'static, ()>>,
}

impl Server {
    /// Settings to be changed before the start.
    pub fn with() -> Settings {
        Settings::new()
    }

    pub async fn start() -> Self {
        Self::with().start().await
    }

    /// A server whose lobbies are full, and therefore about to start, with so many players.
    pub async fn for_players(count: usize) -> Self {
        Self::with().set("game.player_limit", count).start().await
    }

    /// A server for players who race alone, one after the other; quicker than a full lobby of one.
    pub async fn for_one() -> Self {
        Self::with().set("game.lobby_countdown", 0.2).start().await
    }

    /// The address, for players who outlive the borrow of the server.
    pub fn site(&self) -> Site {
        self.site.clone()
    }

    /// A new guest in the lobby, with its own cookie in hand. The first is called Anna, the second Ben …
    pub async fn guest(&self) -> Player {
        Player::guest(&self.site).await
    }

    /// The lobby socket of a newcomer who asks for something particular; INIT is still to be heard.
    pub async fn guest_in(&self, query: &str) -> Socket {
        let name = self.site.next_name();
        self.site.connect(&name, &format!("{QUEUE_IN}{query}"), NOBODY).await
    }

    /// Guests who sit in the same lobby. It must have room for all and is full with the last of them if the server was
    /// made [`Server::for_players`] of that number. Everyone has heard all arrivals.
    pub async fn lobby_of<const N: usize>(&self) -> [Player; N] {
        let mut players: Vec<Player> = Vec::new();
        for _ in 0..N {
            let newcomer = self.guest().await;
            for earlier in &mut players {
                assert_eq!(earlier.game, newcomer.game, "one lobby for all");
                earlier.lobby.expect("USER_JOINED").await;
            }
            players.push(newcomer);
        }
        players.try_into().ok().expect("as many as asked for")
    }

    /// The same, after GAME_START: their game sockets are open, the start countdown runs.
    pub async fn grid_of<const N: usize>(&self) -> [Player; N] {
        let mut players = self.lobby_of::<N>().await;
        for player in &mut players {
            player.lobby.expect("GAME_START").await;
            player.race().await;
        }
        players
    }

    /// The same, after START.
    pub async fn race_of<const N: usize>(&self) -> [Player; N] {
        let mut players = self.grid_of::<N>().await;
        for player in &mut players {
            player.hears("START").await;
        }
        players
    }

    /// Ends the process without a warning, as a lost machine would.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("a running server");
        process.child.kill().expect("a process of our own");
        process.child.wait().expect("its end");
        self.site.log.append(&process.log);
    }

    /// Asks the process to end, and returns how it did.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.ended().await
    }

    /// Waits for the end that was asked for.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("a running server");
        let status = within(STOP, "the server ends after SIGTERM", async || {
            process.child.try_wait().expect("a status")
        })
        .await;
        self.site.log.append(&process.log);
        status
    }

    /// Only sends the signal.
    pub fn ask_to_end(&self) {
        let process = self.process.as_ref().expect("a running server");
        rustix::process::kill_process(Pid::from_child(&process.child), Signal::TERM)
            .expect("a process of our own");
    }

    /// Starts again on the same port and data, after [`Server::kill`] or [`Server::terminate`].
    pub async fn restart(&mut self) {
        self.restart_unready().await;
        self.is_ready().await;
    }

    /// The same, where something that it needs is away.
    pub async fn restart_unready(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        self.process = Some(Process::launch(self.settings.command(self.site.port())).await);
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.settings.data_dir()
    }

    /// Everything the server has printed so far.
    pub fn log(&self) -> String {
        let now = self.process.as_ref().map(|process| process.log.text()).unwrap_or_default();
        self.site.log.text() + &now
    }

    async fn is_ready(&self) {
        within(READY, "the server is ready", async || {
            let answer = self.site.try_get("/healthcheck/ready", NOBODY).await?;
            (answer.status == 200).then_some(())
        })
        .await;
    }
}

impl Deref for Server {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what the server printed ---\n{}--- end ---", self.log());
        }
    }
}
