//! The broker's own cost: the CPU time of its process.

use std::process::Command;
use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use tokio::time::sleep;

use crate::{Outcome, millis};

/// Clock ticks in a second (`sysconf(_SC_CLK_TCK)` on Linux).
const TICKS: f64 = 100.0;
/// How long everybody waits before it is measured what is used without them, and for how long it is.
const SETTLE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(5);

/// Delays of timers, in milliseconds.
const DELAYS: [u64; 10] = [250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000];

pub fn url() -> String {
    let default = "amqp://guest:guest@127.0.0.1:5672/%2f";
    std::env::var("TEST_RABBITMQ").unwrap_or_else(|_| default.into())
}

/// User and system time of the process that listens on the broker's port.
pub fn cpu() -> Outcome<Duration> {
    let url = url();
    let port = url.rsplit('@').next().and_then(|rest| rest.split(':').nth(1));
    let port = port.and_then(|rest| rest.split('/').next()).unwrap_or("5672");
    let sockets = Command::new("ss").args(["-ltnpH", &format!("sport = :{port}")]).output()?;
    let text = String::from_utf8(sockets.stdout)?;
    let pid = text.split("pid=").nth(1).and_then(|rest| rest.split(',').next());
    cpu_of(pid.ok_or("no process listens on the broker's port")?.parse()?)
}

/// User and system time of a process.
pub fn cpu_of(pid: u32) -> Outcome<Duration> {
    // proc(5): fields 14 and 15; the name before them may hold blanks.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("a line of proc(5)")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

/// Takes away what pods have declared under this prefix, as far as it lasts. Their timers have waited in the
/// queue of a delay each: those of the settings in `cluster`, and those of the server.
pub async fn forget(prefix: &str) -> Outcome<()> {
    let connection = Connection::connect(&url(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let waits = DELAYS.map(|delay| format!("{prefix}.wait.{delay}ms.timers.v1"));
    let work = ["once.v1", "timers.v1"].map(|key| format!("{prefix}.work.{key}"));
    for queue in waits.iter().chain(&work) {
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
    }
    for exchange in ["pods", "work"] {
        let name = format!("{prefix}.{exchange}").as_str().into();
        channel.exchange_delete(name, ExchangeDeleteOptions::default()).await?;
    }
    Ok(())
}

/// What the broker takes in a second while no one types: it looks after connections, and collects garbage.
pub async fn idle() -> Outcome<Duration> {
    sleep(SETTLE).await;
    let before = cpu()?;
    sleep(IDLE).await;
    Ok((cpu()? - before).div_f64(IDLE.as_secs_f64()))
}

/// What some keystrokes cost.
#[derive(Clone, Copy)]
pub struct Cost {
    /// In a second without them.
    pub idle: Duration,
    /// In the time with them.
    pub busy: Duration,
    pub keystrokes: u64,
    /// That time.
    pub span: Duration,
}

impl Cost {
    /// CPU milliseconds per thousand keystrokes, beside what is used without any.
    pub fn per_thousand(&self) -> f64 {
        let idle = self.idle.mul_f64(self.span.as_secs_f64());
        millis(self.busy.saturating_sub(idle)) * 1000.0 / self.keystrokes as f64
    }

    /// This and another measurement of the same.
    pub fn and(self, other: Self) -> Self {
        let span = self.span + other.span;
        let share = self.span.as_secs_f64() / span.as_secs_f64();
        Self {
            idle: self.idle.mul_f64(share) + other.idle.mul_f64(1.0 - share),
            busy: self.busy + other.busy,
            keystrokes: self.keystrokes + other.keystrokes,
            span,
        }
    }

    pub fn print(&self, name: &str, messages: f64, compared_with: Option<&Self>) {
        let (idle, cost) = (millis(self.idle), self.per_thousand());
        let rate = self.keystrokes as f64 / self.span.as_secs_f64();
        let ratio = compared_with.map(|it| cost / it.per_thousand()).filter(|it| it.is_finite());
        let ratio = ratio.map_or(String::new(), |it| format!("{it:5.1}"));
        println!("    {name:34}  {rate:12.0}  {messages:8.1}  {idle:9.1}  {cost:6.1}  {ratio}");
    }
}
