//! The server under test: a process of its own, on a port that the system chose, with a data directory that goes away
//! with it; or, if `TEST_PODS` says how many, several that are one service ([`crate::cluster`]).
//!
//! ```ignore
//! let server = Server::start().await;                       // lobbies wait for long, no result is doubted
//! let server = Server::for_players(2).await;                // the second player starts the race
//! let server = Server::with().set("game.lobby_countdown", 0.3).start().await;
//! let server = Server::with().embedded().start().await;     // one process that needs nothing beside it
//! ```
//!
//! It is killed when dropped; if the test has failed, what it printed is shown.

use std::ops::Deref;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rustix::process::{Pid, Signal};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::cluster::Common;
use crate::persona::{Player, QUEUE_IN};
use crate::process::{Launch, Log, Process};
use crate::site::{ANONYMOUS, Site};
use crate::socket::Socket;

pub use crate::setup::Settings;

/// Timeout of everything that a test waits for.
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
        // An answer that never comes is none.
        if let Ok(Some(answer)) = tokio::time::timeout(patience, ask()).await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A running server; speaks HTTP through [`Site`].
pub struct Server {
    site: Site,
    /// One, or the pods of a cluster; those that have ended are none.
    processes: Vec<Option<Process>>,
    settings: Settings,
    common: Option<Common>,
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

    /// Starts every process and waits until all are ready.
    pub(crate) async fn of(settings: Settings, meanwhile: impl AsyncFnOnce(&Log)) -> Self {
        let place = if settings.is_alone() { None } else { Some(MACHINE.read().await) };
        let common = settings.common().await;
        let pods = 0..settings.pods().max(1);
        let commands = pods.map(|pod| settings.command(pod, common.as_ref(), 0));
        let launches: Vec<_> = commands.map(Launch::of).collect();
        let log = launches[0].log();
        let listening = join_all(launches.into_iter().map(Launch::listens));
        let (processes, ()) = tokio::join!(listening, meanwhile(&log));
        let site = Site::of(processes.iter().map(|process| process.port).collect());
        let processes = processes.into_iter().map(Some).collect();
        let server = Server { site, processes, settings, common, _place: place };
        server.is_ready().await;
        server
    }

    /// A server whose lobbies are full, and therefore about to start, with so many players.
    pub async fn for_players(count: usize) -> Self {
        Self::with().set("game.player_limit", count).start().await
    }

    /// A server for players who race alone, one after the other; quicker than a full lobby of one.
    pub async fn for_one() -> Self {
        Self::with().set("game.lobby_countdown", 0.2).start().await
    }

    /// The operations port of a pod, as a site of its own.
    pub fn operations(&self, pod: usize) -> Site {
        let process = self.processes[pod].as_ref().expect("a running server");
        Site::new(process.operations_port())
    }

    /// What a pod has counted under that name, over all labels; nothing yet is zero.
    pub async fn counted(&self, pod: usize, name: &str) -> u64 {
        let metrics = self.operations(pod).get("/metrics", ANONYMOUS).await.text;
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
        let lines = lines.filter(|rest| rest.starts_with([' ', '{']));
        let values = lines.filter_map(|rest| rest.rsplit_once(' ')?.1.parse::<f64>().ok());
        values.sum::<f64>() as u64
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
        self.site.connect(&name, &format!("{QUEUE_IN}{query}"), ANONYMOUS).await
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

    /// Ends the process without a warning, as a lost machine would; of a cluster, all of them.
    pub async fn kill(&mut self) {
        for pod in 0..self.processes.len() {
            self.kill_pod(pod);
        }
    }

    /// Ends one process of a cluster without a warning.
    pub fn kill_pod(&mut self, pod: usize) {
        let mut process = self.processes[pod].take().expect("a running server");
        process.child.kill().expect("a process of our own");
        process.child.wait().expect("its end");
        self.site.log.append(&process.log);
    }

    /// Sends a signal to one process of a cluster.
    pub fn signal(&self, pod: usize, signal: Signal) {
        let process = self.processes[pod].as_ref().expect("a running server");
        rustix::process::kill_process(Pid::from_child(&process.child), signal)
            .expect("a process of our own");
    }

    /// Asks the process to end, and returns how it did; of a cluster, how the first did that did not end well.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.ended().await
    }

    /// The same with one process of a cluster.
    pub async fn terminate_pod(&mut self, pod: usize) -> ExitStatus {
        self.ask_pod_to_end(pod);
        self.pod_ended(pod).await
    }

    /// Waits for the end that was asked for.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = ExitStatus::default();
        for pod in 0..self.processes.len() {
            let end = self.pod_ended(pod).await;
            status = if status.success() { end } else { status };
        }
        status
    }

    /// Waits for the end of one process.
    pub async fn pod_ended(&mut self, pod: usize) -> ExitStatus {
        let mut process = self.processes[pod].take().expect("a running server");
        let status = within(STOP, "the server ends after SIGTERM", async || {
            process.child.try_wait().expect("a status")
        })
        .await;
        self.site.log.append(&process.log);
        status
    }

    /// Only sends the signal.
    pub fn ask_to_end(&self) {
        self.processes.iter().for_each(|process| ask_to_end(process.as_ref()));
    }

    /// Starts again on the same port and data, after [`Server::kill`] or [`Server::terminate`].
    pub async fn restart(&mut self) {
        self.restart_unready().await;
        self.is_ready().await;
    }

    /// The same, where something that it needs is away.
    pub async fn restart_unready(&mut self) {
        let ports = self.site.ports().iter().enumerate();
        let processes = ports.map(async |(pod, port)| {
            assert!(self.processes[pod].is_none(), "it still runs");
            Process::launch(self.settings.command(pod, self.common.as_ref(), *port)).await
        });
        self.processes = join_all(processes).await.into_iter().map(Some).collect();
    }

    /// Only sends the signal, to one process.
    pub fn ask_pod_to_end(&self, pod: usize) {
        ask_to_end(self.processes[pod].as_ref());
    }

    /// What the processes of a cluster share.
    pub fn common(&self) -> &Common {
        self.common.as_ref().expect("a cluster")
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.settings.data_dir()
    }

    /// Bytes of memory that the first process has, by Linux's `/proc`.
    pub fn memory(&self) -> u64 {
        let process = self.processes[0].as_ref().expect("a running server");
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id()));
        let status = status.expect("the status of a process of our own");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let size = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        size.expect("its size in kB") * 1024
    }

    /// Everything the server has printed so far.
    pub fn log(&self) -> String {
        let now = self.processes.iter().flatten().map(|process| process.log.text());
        self.site.log.text() + &now.collect::<String>()
    }

    async fn is_ready(&self) {
        for pod in 0..self.processes.len() {
            let site = self.site.at(pod);
            within(READY, "the server is ready", async || {
                let answer = site.try_get("/healthcheck/ready", ANONYMOUS).await?;
                (answer.status == 200).then_some(())
            })
            .await;
        }
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

fn ask_to_end(process: Option<&Process>) {
    let process = process.expect("a running server");
    rustix::process::kill_process(Pid::from_child(&process.child), Signal::TERM)
        .expect("a process of our own");
}
