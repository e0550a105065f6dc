//! The two servers under measurement, each started as a process of its own.

use crate::players::GAME_SIZE;
use crate::sink::{Manner, Sink};
use crate::{BARE_RELAY, Outcome};
use clap::ValueEnum;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How long a server may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a server that is starting: the resolution of the start figures.
const GLANCE: Duration = Duration::from_millis(1);

/// From the last seat taken to START, in seconds: as short as the setting allows.
pub const START_COUNTDOWN: u64 = 1;

/// Settings of the server: a free port, quick games, and limits that one load generator does not reach.
const SETTINGS: &[(&str, &str)] = &[
    ("TP_SERVER__HOST", "127.0.0.1"),
    ("TP_SERVER__PORT", "0"),
    // Lobbies end by being full; only a last one, not full, waits for this.
    ("TP_GAME__LOBBY_COUNTDOWN", "5"),
    ("TP_GAME__START_COUNTDOWN", "1"),
    // A result would wait for keystrokes that are not sent.
    ("TP_GAME__CHECK_RESULTS", "false"),
    ("TP_LIMITS__REQUESTS_PER_SECOND", "1000000"),
    ("TP_LIMITS__GUESTS_PER_MINUTE", "1000000"),
    ("TP_LIMITS__SEATS_PER_MINUTE", "1000000"),
    ("TP_LIMITS__CONNECTIONS", "1000000"),
    ("TP_LIMITS__CONNECTIONS_PER_ADDRESS", "1000000"),
    ("TP_LIMITS__SOCKETS", "1000000"),
    ("TP_LIMITS__SOCKETS_PER_ADDRESS", "1000000"),
    ("TP_LIMITS__SOCKETS_PER_PLAYER", "1000000"),
    ("TP_LIMITS__FRAMES_PER_SECOND", "100000"),
];

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The server of this package.
    Server,
    /// The same, which exports traces to a collector.
    Traced,
    /// The same, whose collector refuses all of them.
    Refused,
    /// The same, whose collector never answers.
    Hung,
    /// The bare relay of `bare_relay.rs`.
    #[value(name = "bare-relay")]
    Bare,
    /// Another build of the server.
    Beside,
    /// The server of this package, whose clients send edits.
    Edits,
}

impl Kind {
    /// How its collector answers, if it has one.
    fn collector(self) -> Option<Manner> {
        match self {
            Self::Server | Self::Bare | Self::Beside | Self::Edits => None,
            Self::Traced => Some(Manner::Takes),
            Self::Refused => Some(Manner::Refuses),
            Self::Hung => Some(Manner::Hangs),
        }
    }

    /// Its name at the top of a column.
    pub fn title(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Traced => "traced",
            Self::Refused => "refused",
            Self::Hung => "hung",
            Self::Bare => "bare relay",
            Self::Beside => "beside",
            Self::Edits => "edits",
        }
    }
}

/// The other build, and the core of the servers.
static SET_UP: OnceLock<(Option<PathBuf>, Option<usize>)> = OnceLock::new();

/// Sets the other build of the server, and the core that servers are pinned to.
pub fn set_up(beside: Option<PathBuf>, core: Option<usize>) {
    // Once, at the beginning.
    let _ = SET_UP.set((beside, core));
}

/// A running server; it is killed when this is dropped.
pub struct Server {
    pub kind: Kind,
    /// Players of a full game.
    pub race: usize,
    pub address: SocketAddr,
    /// From spawn until it was ready.
    pub started_in: Duration,
    child: Child,
    /// Where it sends its spans.
    _sink: Option<Sink>,
}

impl Server {
    /// Starts a server that keeps its data in `data` (the bare relay keeps none) and waits until it is ready.
    pub async fn start(kind: Kind, data: &Path) -> Outcome<Self> {
        Self::start_for(kind, data, GAME_SIZE).await
    }

    /// The same for games of so many players.
    pub async fn start_for(kind: Kind, data: &Path, race: usize) -> Outcome<Self> {
        let log = data.join("output.log");
        let output = File::create(&log)?;
        let sink = match kind.collector() {
            Some(manner) => Some(Sink::start(manner).await?),
            None => None,
        };
        let spawned = Instant::now();
        let child = command(kind, data, sink.as_ref())?
            .env("TP_GAME__PLAYER_LIMIT", race.to_string())
            // The measured server ignores the `.env` file of the developer.
            .current_dir(data)
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            // A file, unlike a pipe, needs no reader while the load runs.
            .stdout(output)
            .kill_on_drop(true)
            .spawn()?;
        let (address, started_in) = (([127, 0, 0, 1], 0).into(), Duration::ZERO);
        let mut server = Self { kind, race, address, started_in, child, _sink: sink };
        match timeout(PATIENCE, server.become_ready(&log)).await {
            Ok(Ok(())) => {
                server.started_in = spawned.elapsed();
                Ok(server)
            }
            Ok(Err(trouble)) => Err(server.obituary(&log, &trouble.to_string())),
            Err(_) => Err(server.obituary(&log, "not ready in time")),
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process is awaited only after it is stopped")
    }

    /// Kills the server and waits until it is gone.
    pub async fn stop(mut self) -> Outcome<()> {
        Ok(self.child.kill().await?)
    }

    async fn become_ready(&mut self, log: &PathBuf) -> Outcome<()> {
        self.address = loop {
            if let Some(address) = listening_on(&fs::read_to_string(log)?) {
                break address;
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("it ended with {status}").into());
            }
            sleep(GLANCE).await;
        };
        match self.kind {
            Kind::Bare => Ok(TcpStream::connect(self.address).await.map(drop)?),
            _ => self.answer_ready().await,
        }
    }

    async fn answer_ready(&self) -> Outcome<()> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{}/healthcheck/ready", self.address);
        while http.get(&url).send().await?.status() != reqwest::StatusCode::OK {
            sleep(GLANCE).await;
        }
        Ok(())
    }

    fn obituary(&self, log: &Path, trouble: &str) -> Box<dyn std::error::Error + Send + Sync> {
        let output = fs::read_to_string(log).unwrap_or_default();
        format!("{:?} could not be measured: {trouble}; it said:\n{output}", self.kind).into()
    }
}

fn command(kind: Kind, data: &Path, sink: Option<&Sink>) -> Outcome<Command> {
    let own = Path::new(env!("CARGO_BIN_EXE_typephoon-api"));
    let (beside, core) = SET_UP.get().cloned().unwrap_or_default();
    let program = match kind {
        Kind::Bare => std::env::current_exe()?,
        Kind::Beside => beside.as_deref().unwrap_or(own).canonicalize()?,
        _ => own.to_owned(),
    };
    let mut command = match core {
        None => Command::new(program),
        Some(core) => {
            let mut pinned = Command::new("taskset");
            pinned.args(["--cpu-list", &core.to_string()]).arg(program);
            pinned
        }
    };
    if kind == Kind::Bare {
        command.arg(BARE_RELAY);
    } else {
        command.envs(SETTINGS.iter().copied()).env("TP_DATA_DIR", data);
    }
    if let Some(sink) = sink {
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", sink.address));
    }
    Ok(command)
}

/// The address in `listening on http://127.0.0.1:4711`, once that line is complete.
fn listening_on(output: &str) -> Option<SocketAddr> {
    let (_, rest) = output.split_once("listening on http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))?;
    rest[..end].parse().ok()
}
