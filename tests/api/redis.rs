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
    /// What it is told beside its port.
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Redis {
    /// Starts one. `None` if Redis is not installed, unless `REQUIRE_SERVICES` is set.
    pub async fn start() -> Option<Self> {
        Self::start_with(Vec::new()).await
    }

    async fn start_with(arguments: Vec<String>) -> Option<Self> {
        if program("redis-server").is_none() {
            skip("no redis-server that a test could start");
            return None;
        }
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut redis = Self { home, port: free_port(), arguments, process: None };
        redis.restart().await;
        Some(redis)
    }

    /// Ends it without a warning, as a lost machine would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("a running Redis");
        process.kill().expect("a process of our own");
        process.wait().expect("its end");
    }

    /// It does nothing any more, and keeps what it has.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("a running Redis").id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status();
        assert!(sent.expect("kill").success());
    }

    /// Starts it again on the same port, empty, and waits until it answers.
    pub async fn restart(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        command.arg(self.port.to_string()).args(&self.arguments).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("redis-server"));
        eventually("Redis answers", async || self.connect().await).await;
    }

    /// Refuses scripts, or takes them again.
    pub async fn takes_scripts(&self, takes: bool) {
        let rule = if takes { "+@scripting" } else { "-@scripting" };
        self.asks(&["ACL", "SETUSER", "default", rule]).await;
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

/// Slots of a Redis Cluster.
const SLOTS: u32 = 16_384;

/// A Redis Cluster of three masters.
pub struct RedisCluster {
    pub nodes: [Redis; 3],
}

impl RedisCluster {
    /// Starts one, as [`Redis::start`] does.
    pub async fn start() -> Option<Self> {
        let node = async |number: u32| {
            let options = ["--cluster-enabled", "yes", "--cluster-port", &free_port().to_string()];
            let node = Redis::start_with(options.map(str::to_owned).to_vec()).await?;
            let (from, to) = (SLOTS * number / 3, SLOTS * (number + 1) / 3 - 1);
            let slots = ["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()];
            node.asks(&slots).await;
            Some(node)
        };
        let cluster = Self { nodes: [node(0).await?, node(1).await?, node(2).await?] };
        let [first, others @ ..] = &cluster.nodes;
        for node in others {
            let (port, bus) = (node.port.to_string(), node.arguments[3].as_str());
            first.asks(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]).await;
        }
        eventually("the cluster is whole", async || {
            for node in &cluster.nodes {
                let mut connection = node.connect().await?;
                let info: String =
                    redis::cmd("CLUSTER").arg("INFO").query_async(&mut connection).await.ok()?;
                let is_whole = ["cluster_state:ok", "cluster_known_nodes:3"]
                    .iter()
                    .all(|it| info.contains(it));
                is_whole.then_some(())?;
            }
            Some(())
        })
        .await;
        Some(cluster)
    }

    /// How many keys with this in their names each node has.
    pub async fn keys(&self, part: &str) -> Vec<usize> {
        let mut counts = Vec::new();
        for node in &self.nodes {
            let mut connection = node.connect().await.expect("a Redis that answers");
            let keys: Vec<String> = redis::cmd("KEYS")
                .arg(format!("*{part}*"))
                .query_async(&mut connection)
                .await
                .expect("keys");
            counts.push(keys.len());
        }
        counts
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}
