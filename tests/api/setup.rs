//! With which settings a server under test is started.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio::sync::RwLockWriteGuard;

use crate::cluster::{self, Common};
use crate::process::{self, Log, Outcome};
use crate::secrets;
use crate::server::Server;
use crate::signing;

/// The settings of a server that has not been started yet.
pub struct Settings {
    values: BTreeMap<&'static str, String>,
    arguments: Vec<String>,
    home: TempDir,
    log_level: Option<&'static str>,
    alone: bool,
    /// How many processes; none if it is to be embedded.
    pods: usize,
    /// How the shell's `ulimit` sets the limit of open files.
    ulimit: Option<&'static str>,
    /// What one of them has to itself: the pod, a variable, its value.
    own: Vec<(usize, String, String)>,
}

impl Settings {
    /// Lobbies that wait until they are full and that no bots come into, and limits that no test meets by
    /// accident.
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let (values, arguments) = (BTreeMap::new(), Vec::new());
        let pods = cluster::pods_wanted();
        // All that could be printed; what it must not be is searched for (`secrets`).
        let (own, ulimit, log_level) = (Vec::new(), None, Some("debug"));
        let settings = Self { values, arguments, home, log_level, alone: false, pods, ulimit, own };
        let wide = 1_000_000;
        settings
            .set("server.host", "127.0.0.1")
            .set("server.port", 0)
            .set("operations.port", 0)
            .set("game.lobby_countdown", 60)
            .set("game.start_countdown", 0.3)
            .set("game.check_results", false)
            .set("handlers.bots.enabled", false)
            .set("token.private_key", signing::PRIVATE_KEY)
            .set("token.public_key", signing::PUBLIC_KEY)
            .set("limits.guests_per_minute", wide)
            .set("limits.seats_per_minute", wide)
            .set("limits.games_per_minute", wide)
            .set("limits.seats_per_player", wide)
            .set("limits.requests_per_second", wide)
            .set("limits.frames_per_second", wide)
    }

    /// One setting by its key in the settings file, such as `game.player_limit`.
    pub fn set(mut self, key: &'static str, value: impl ToString) -> Self {
        let value = value.to_string();
        secrets::note_setting(key, &value);
        self.values.insert(key, value);
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

    /// One process that needs nothing beside it, whatever `TEST_PODS` says: for tests whose subject is that process,
    /// such as its data directory, its log or its limits. It logs as a server does by default.
    pub fn embedded(mut self) -> Self {
        (self.pods, self.log_level) = (0, None);
        self
    }

    /// So many processes that are one service, whatever `TEST_PODS` says.
    pub fn on_pods(mut self, count: usize) -> Self {
        self.pods = count;
        self
    }

    /// A setting of one pod alone.
    pub fn set_on(self, pod: usize, key: &str, value: impl ToString) -> Self {
        self.variable_on(pod, &variable(key), value)
    }

    /// A variable in the environment of one pod.
    pub fn variable_on(mut self, pod: usize, name: &str, value: impl ToString) -> Self {
        self.own.push((pod, name.to_owned(), value.to_string()));
        self
    }

    /// A limit of open files, as the shell's `ulimit` takes it.
    pub fn ulimit(mut self, ulimit: &'static str) -> Self {
        self.ulimit = Some(ulimit);
        self
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(self) -> Server {
        self.start_while(async |_| {}).await
    }

    /// The same while something else goes on, which can read what the server prints.
    pub async fn start_while(self, meanwhile: impl AsyncFnOnce(&Log)) -> Server {
        Server::of(self, meanwhile).await
    }

    /// Runs the program to its end, for start-ups that are to fail and commands that only print.
    pub fn run(self) -> Outcome {
        process::run(self.command(0, None, 0))
    }

    /// The data directory; it exists.
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// How many processes; none if it is embedded.
    pub(crate) fn pods(&self) -> usize {
        self.pods
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.alone
    }

    /// Makes what the processes are to share, if they are a cluster.
    pub(crate) async fn common(&self) -> Option<Common> {
        if self.pods == 0 {
            return None;
        }
        let countdowns = self.values.iter().filter(|(key, _)| key.ends_with("_countdown"));
        let countdowns = countdowns.filter_map(|(_, seconds)| seconds.parse().ok()).collect();
        Some(Common::make(self.values.get("db.url").cloned(), countdowns).await)
    }

    /// The command that starts a process, on any port if `port` is 0.
    pub(crate) fn command(&self, pod: usize, common: Option<&Common>, port: u16) -> Command {
        let program = other_build(pod).unwrap_or(env!("CARGO_BIN_EXE_typephoon-api").into());
        let mut command =
            Command::new(self.ulimit.map_or(program.as_os_str(), |_| OsStr::new("sh")));
        if let Some(ulimit) = self.ulimit {
            command.args(["-c", &format!("ulimit {ulimit}; exec \"$0\" \"$@\"")]).arg(program);
        }
        for (name, _) in std::env::vars() {
            if ["TP_", "OTEL_", "LOG_LEVEL", "RUST_LOG", "SERVER_NAME"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        let data_dir =
            if pod == 0 { self.data_dir() } else { self.home.path().join(pod.to_string()) };
        std::fs::create_dir_all(&data_dir).expect("a data directory");
        command.env("TP_DATA_DIR", data_dir);
        if let Some(common) = common {
            command.env("SERVER_NAME", format!("pod-{pod}")).arg("--init");
            command.envs(common.settings().map(|(key, value)| (variable(key), value)));
            // As on SQLite: accounts of the server's own, unless there is another way to log in.
            let ways = ["google.", "handlers.openid."];
            if !self.values.keys().any(|key| ways.iter().any(|way| key.starts_with(way))) {
                command.env(variable("auth.local"), "true");
            }
        }
        for (key, value) in &self.values {
            command.env(variable(key), value);
        }
        if let Some(level) = self.log_level {
            command.env("LOG_LEVEL", level);
        }
        if port != 0 {
            command.env(variable("server.port"), port.to_string());
        }
        command.envs(self.own.iter().filter(|own| own.0 == pod).map(|own| (&own.1, &own.2)));
        let arguments = self.arguments.iter().filter(|it| common.is_none() || *it != "--init");
        command.args(arguments).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// The binary of every second pod, if `TEST_OTHER_BUILD` names one.
pub fn other_build(pod: usize) -> Option<OsString> {
    std::env::var_os("TEST_OTHER_BUILD").filter(|_| !pod.is_multiple_of(2))
}

/// `game.player_limit` is `TP_GAME__PLAYER_LIMIT` in the environment.
fn variable(key: &str) -> String {
    format!("TP_{}", key.replace('.', "__").to_uppercase())
}
