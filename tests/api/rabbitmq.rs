//! A RabbitMQ node of a test's own, which may be stopped and killed: under a name, on ports and in a directory of its
//! own. It keeps what is durable.
//!
//! ```ignore
//! let Some(mut rabbitmq) = Rabbitmq::start().await else { return };
//! rabbitmq.stop().await;
//! rabbitmq.restart().await;
//! ```

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lapin::Connection;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::cluster;
use crate::server::within;
use crate::service::{free_port, program, skip};

/// Where Debian keeps the true programs; those in its path change the user.
const DEBIAN: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// How long a node takes to start or stop on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A RabbitMQ node; killed when dropped.
pub struct Rabbitmq {
    program: PathBuf,
    home: TempDir,
    port: u16,
    /// For nodes among each other.
    distribution: u16,
    process: Option<Child>,
}

impl Rabbitmq {
    /// Starts one. `None` if RabbitMQ is not installed, unless `REQUIRE_SERVICES` is set.
    pub async fn start() -> Option<Self> {
        let debian = Some(PathBuf::from(DEBIAN)).filter(|it| it.is_file());
        let Some(program) = debian.or_else(|| program("rabbitmq-server")) else {
            skip("no rabbitmq-server that a test could start");
            return None;
        };
        let home = tempfile::tempdir().expect("a temporary directory");
        for empty in ["rabbitmq.conf", "env.conf", "plugins"] {
            File::create(home.path().join(empty)).expect("an empty file");
        }
        let (port, distribution) = (free_port(), free_port());
        let mut rabbitmq = Self { program, home, port, distribution, process: None };
        rabbitmq.restart().await;
        Some(rabbitmq)
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(&mut self) {
        let mut process = self.process.take().expect("a running RabbitMQ");
        kill_process(Pid::from_child(&process), Signal::TERM).expect("a process of our own");
        within(PATIENCE, "RabbitMQ ends", async || process.try_wait().expect("a status")).await;
    }

    /// Ends it without a warning, as a lost machine would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("a running RabbitMQ");
        process.kill().expect("a process of our own");
        process.wait().expect("its end");
    }

    /// Starts it again with all that is durable, and waits until it answers.
    pub async fn restart(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        self.process = Some(self.launch());
        within(PATIENCE, "RabbitMQ answers", async || {
            if self.has_ended() {
                // Another program has taken the port meanwhile.
                self.distribution = free_port();
                self.process = Some(self.launch());
            }
            self.try_connect().await
        })
        .await;
    }

    fn has_ended(&mut self) -> bool {
        let process = self.process.as_mut().expect("a RabbitMQ that was started");
        process.try_wait().expect("a status").is_some()
    }

    /// Has the node do something, by its control program.
    pub fn control(&self, arguments: &[&str]) {
        let program = self.program.with_file_name("rabbitmqctl");
        let mut command = Command::new(program);
        command
            .env("HOME", self.home.path())
            .env("RABBITMQ_CONF_ENV_FILE", self.home.path().join("env.conf"));
        command.arg("-n").arg(format!("typephoon-test-{}@localhost", self.port)).args(arguments);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.success()), "rabbitmqctl {arguments:?}");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> Connection {
        self.try_connect().await.expect("RabbitMQ answers")
    }

    async fn try_connect(&self) -> Option<Connection> {
        let address = format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port);
        cluster::connect(&address).await.ok()
    }

    fn launch(&self) -> Child {
        let home = self.home.path();
        let log = File::options().create(true).append(true).open(home.join("log.txt"));
        let log = log.expect("a log");
        let mut command = Command::new(&self.program);
        // The node takes the place of the script that starts it, so that it is our child.
        command.env("RABBITMQ_ALLOW_INPUT", "1").arg("-noinput");
        command
            .env("HOME", home)
            .env("RABBITMQ_NODENAME", format!("typephoon-test-{}@localhost", self.port))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution.to_string())
            .env("RABBITMQ_MNESIA_BASE", home.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", home.join("log"))
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_PID_FILE", home.join("pid"))
            .env("RABBITMQ_CONFIG_FILE", home.join("rabbitmq.conf"))
            .env("RABBITMQ_CONF_ENV_FILE", home.join("env.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("plugins"))
            // Threads that wait for work let others have the processor.
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +sbwtdcpu none +sbwtdio none");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log);
        command.current_dir(home).spawn().expect("rabbitmq-server")
    }
}

impl Drop for Rabbitmq {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.home.path().join("log.txt")).unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(30).collect();
            let end: Vec<_> = lines.into_iter().rev().collect();
            eprintln!("--- what RabbitMQ printed last ---\n{}\n--- end ---", end.join("\n"));
        }
    }
}
