//! A PostgreSQL server of a test's own, which may be killed: in a directory that is removed with it, on a port that no
//! other service gets.
//!
//! ```ignore
//! let Some(mut postgres) = Postgres::start().await else { return };
//! let server = postgres.settings().start().await;
//! postgres.kill();
//! postgres.restart().await;
//! ```

use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tempfile::TempDir;

use crate::server::{Server, Settings, eventually};
use crate::service::{free_port, skip};

/// Where Debian installs it, in a directory per version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// As whom it runs if we are root, which it refuses to be.
const OWNER: &str = "postgres";

/// A PostgreSQL server; killed when dropped.
pub struct Postgres {
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    home: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    /// Makes and starts one. `None` if PostgreSQL is not installed, unless `REQUIRE_SERVICES` is set.
    pub async fn start() -> Option<Self> {
        let owner = rustix::process::geteuid().is_root().then(|| (id_of("-u"), id_of("-g")));
        let owner = match owner {
            Some((user, group)) => user.zip(group).map(Some),
            None => Some(None),
        };
        let (Some(programs), Some(owner)) = (programs(), owner) else {
            let lacking = "no PostgreSQL that a test could start, or no user postgres";
            skip(lacking);
            return None;
        };
        let home = tempfile::tempdir().expect("a temporary directory");
        if let Some((user, group)) = owner {
            chown(home.path(), Some(user), Some(group)).expect("a directory to give away");
        }
        let mut postgres = Self { programs, owner, home, port: free_port(), process: None };
        let mut initdb = postgres.program("initdb");
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
        let made = initdb.arg("-D").arg(postgres.home.path().join("data")).status();
        assert!(made.is_ok_and(|status| status.success()), "initdb: {}", postgres.log());
        postgres.restart().await;
        Some(postgres)
    }

    /// The settings that send a server there.
    pub fn settings(&self) -> Settings {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        Server::with().embedded().set("db.url", url).argument("--init")
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> PgConnection {
        self.options().connect().await.expect("PostgreSQL answers")
    }

    /// Runs statements, behind the back of the server.
    pub async fn execute(&self, sql: String) {
        self.connect().await.execute(AssertSqlSafe(sql)).await.expect("a statement that is right");
    }

    /// Ends it without a warning, as a lost machine would: the process that watches over the others is stopped first, so
    /// that it does not tidy up after them.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("a running PostgreSQL");
        let first = Pid::from_child(&process);
        let _ = kill_process(first, Signal::STOP);
        for pid in children(first) {
            let _ = kill_process(pid, Signal::KILL);
        }
        process.kill().expect("a process of our own");
        process.wait().expect("its end");
    }

    /// Starts it again on the same port and data, and waits until it answers.
    pub async fn restart(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        eventually("PostgreSQL answers", async || {
            // It ends at once as long as a process of before is still there.
            let ended = |it: &mut Child| it.try_wait().expect("a status").is_some();
            if self.process.as_mut().is_none_or(ended) {
                self.process = Some(self.launch());
            }
            self.options().connect().await.ok()
        })
        .await;
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new().host("127.0.0.1").port(self.port).username("postgres")
    }

    fn launch(&self) -> Child {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.home.path().join("data"));
        command.arg("-k").arg(self.home.path()).args(["-h", "127.0.0.1"]);
        // What is lost with a process is not what is lost with the power: nothing has to reach the disk.
        command.args([
            "-p",
            &self.port.to_string(),
            "-c",
            "fsync=off",
            "-c",
            "shared_buffers=16MB",
        ]);
        command.spawn().expect("PostgreSQL")
    }

    /// One of its programs, run as the owner of the directory, and with the log for what it says.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        let log = File::options().create(true).append(true).open(self.home.path().join("log"));
        let log = log.expect("a log");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log);
        command.current_dir(self.home.path());
        command
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- what PostgreSQL printed ---\n{}--- end ---", self.log());
        }
    }
}

/// Where its programs are: those in the path, or the newest that Debian has installed.
fn programs() -> Option<PathBuf> {
    let is_there =
        |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(is_there);
    in_path.or_else(|| {
        let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
        let versions = std::fs::read_dir(DEBIAN).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let mut versions: Vec<_> = versions.filter(|it| is_there(&it.join("bin"))).collect();
        versions.sort_by_key(version);
        Some(versions.pop()?.join("bin"))
    })
}

/// The number of the owner or its group.
fn id_of(which: &str) -> Option<u32> {
    let output = Command::new("id").args([which, OWNER]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The processes that a process has started. Without `/proc` there are none: they end by themselves soon after it.
fn children(of: Pid) -> Vec<Pid> {
    let pid = of.as_raw_nonzero();
    let list = Path::new("/proc").join(format!("{pid}/task/{pid}/children"));
    let list = std::fs::read_to_string(list).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}
