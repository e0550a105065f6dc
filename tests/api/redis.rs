//! A Redis server of a test's own, which may be killed, and has forgotten everything when it is back.
//!
//! ```ignore
//! let Some(mut redis) = Redis::start().await else { return };
//! redis.kill();
//! redis.restart().await;
//! ```

use std::process::{Child, Command, Stdio};

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::server::eventually;
use crate::service::{free_port, program, skip};

/// A Redis server; killed when dropped.
pub struct Redis {
    home: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Redis {
    /// Starts one. `None` if Redis is not installed, unless `REQUIRE_SERVICES` is set.
    pub async fn start() -> Option<Self> {
        if program("redis-server").is_none() {
            skip("no redis-server that a test could start");
            return None;
        }
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut redis = Self { home, port: free_port(), process: None };
        redis.restart().await;
        Some(redis)
    }

    /// Ends it without a warning, as a lost machine would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("a running Redis");
        process.kill().expect("a process of our own");
        process.wait().expect("its end");
    }

    /// Starts it again on the same port, empty, and waits until it answers.
    pub async fn restart(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        command.arg(self.port.to_string()).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("redis-server"));
        eventually("Redis answers", async || self.connect().await).await;
    }

    /// Sends it a command.
    pub async fn asks(&self, command: &[&str]) {
        let mut connection = self.connect().await.expect("a Redis that answers");
        let mut command_of = redis::cmd(command[0]);
        command_of.arg(&command[1..]);
        command_of.exec_async(&mut connection).await.expect("a command that it knows");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    async fn connect(&self) -> Option<MultiplexedConnection> {
        let client = redis::Client::open(("127.0.0.1", self.port)).ok()?;
        client.get_multiplexed_async_connection().await.ok()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}
