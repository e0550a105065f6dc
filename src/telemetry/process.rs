//! Process metrics, under Prometheus's standard names. Only on Linux; elsewhere these gauges stay at zero.

use std::fs;
use std::sync::OnceLock;

use tokio::runtime::Handle;

use super::count;

/// Ticks per second in `/proc` (`USER_HZ`: 100 on every Linux that Rust supports).
const TICKS: f64 = 100.0;

/// Updates all gauges. Must be called inside the runtime.
pub(crate) fn look() {
    let runtime = Handle::current().metrics();
    let workers = runtime.num_workers();
    count::RUNTIME_WORKERS.set(workers as u64);
    count::RUNTIME_TASKS.set(runtime.num_alive_tasks() as u64);
    count::RUNTIME_QUEUE.set(runtime.global_queue_depth() as u64);
    let busy = (0..workers).map(|worker| runtime.worker_total_busy_duration(worker).as_secs_f64());
    count::RUNTIME_BUSY.set(busy.sum());
    // Missing files mean another system than Linux.
    let _ = (look_at_stat(), look_at_memory(), look_at_files());
}

fn look_at_stat() -> Option<()> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let Stat { cpu, started } = Stat::read(&stat)?;
    count::PROCESS_CPU.set(cpu);
    // Linux computes the boot time from the wall clock, which is slewed: if read again, the start time would seem to
    // change.
    static BOOT: OnceLock<Option<f64>> = OnceLock::new();
    count::PROCESS_START.set_exactly((*BOOT.get_or_init(boot))? + started);
    Some(())
}

/// The boot time of the machine, in seconds since 1970.
fn boot() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.parse().ok())
}

fn look_at_memory() -> Option<()> {
    // In kilobytes; `stat` counts pages, whose size differs from machine to machine.
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    count::PROCESS_RSS.set(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024);
    Some(())
}

fn look_at_files() -> Option<()> {
    count::PROCESS_FDS.set(fs::read_dir("/proc/self/fd").ok()?.count() as u64);
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    count::PROCESS_FD_LIMIT.set(line.split_whitespace().next()?.parse().ok()?);
    Some(())
}

/// The used fields of `/proc/self/stat` (proc(5)).
#[derive(Debug, PartialEq)]
struct Stat {
    /// Seconds in user and system mode.
    cpu: f64,
    /// Seconds after the boot.
    started: f64,
}

impl Stat {
    fn read(stat: &str) -> Option<Self> {
        // The name of the program may contain spaces and brackets; field 3 follows it.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
        let cpu = (ticks(14)? + ticks(15)?) / TICKS;
        Some(Self { cpu, started: ticks(22)? / TICKS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_process_are_found_behind_any_name() {
        let stat =
            "7 (a ) b) S 1 7 7 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 3 0 1200 9000000 321 18446";
        let expected = Stat { cpu: 3.0, started: 12.0 };
        assert_eq!(Stat::read(stat), Some(expected));
        assert_eq!(Stat::read("nonsense"), None);
    }
}
