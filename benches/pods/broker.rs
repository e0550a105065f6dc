//! The broker's own cost: the CPU time of its process.

use std::process::Command;
use std::time::Duration;

use crate::Outcome;

/// Clock ticks in a second (`sysconf(_SC_CLK_TCK)` on Linux).
const TICKS: f64 = 100.0;

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
    let pid = pid.ok_or("no process listens on the broker's port")?;
    // proc(5): fields 14 and 15; the name before them may hold blanks.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("a line of proc(5)")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(Duration::from_secs_f64(ticks / TICKS))
}
