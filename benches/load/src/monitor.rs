//! Samples the run once a second: for the progress line, and for the series of the plots.

use std::io::{IsTerminal, Write};
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::proc;
use crate::run::Run;
use crate::stats::Counts;

const EVERY: Duration = Duration::from_secs(1);

/// One second of the run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sample {
    /// Its end, in seconds of the run.
    pub at: f64,
    /// Seats taken, per second.
    pub joins: f64,
    /// Keystrokes sent, per second.
    pub sent: f64,
    /// Frames delivered, per second.
    pub delivered: f64,
    /// Median of the relay latency, in milliseconds.
    pub p50: f64,
    /// 99th percentile of the relay latency, in milliseconds.
    pub p99: f64,
    /// Open sockets.
    pub sockets: u64,
    /// CPU of the given processes, in cores.
    pub cpu: f64,
    /// CPU of the generator, in cores.
    pub own_cpu: f64,
    /// Resident memory of the given processes, in MiB.
    pub memory: f64,
}

/// The window between warm-up and end.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Window {
    /// Its length in seconds.
    pub seconds: f64,
    /// Keystrokes sent.
    pub sent: u64,
    /// Frames delivered.
    pub delivered: u64,
    /// Frames delivered per second.
    pub delivered_per_second: f64,
    /// CPU of the given processes, in seconds.
    pub cpu_seconds: f64,
    /// The same per million delivered frames, so microseconds per frame.
    pub cpu_seconds_per_million: f64,
    /// CPU of the generator, in cores. Near 1, the generator is the bottleneck.
    pub own_cores: f64,
}

/// The samples of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Series {
    /// One sample per second.
    pub samples: Vec<Sample>,
    /// The window between warm-up and end.
    pub window: Window,
    /// Resident memory of the given processes before the first player, in MiB.
    pub memory_before: f64,
    /// The maximum of it.
    pub memory_most: f64,
    /// Maximum number of sockets open at the same time.
    pub sockets_most: u64,
}

/// All counters at one moment.
#[derive(Clone, Copy, Debug)]
struct Snapshot {
    at: Duration,
    counts: Counts,
    cpu: Duration,
    own_cpu: Duration,
}

/// The monitor of a run.
#[derive(Debug)]
pub struct Monitor {
    run: Rc<Run>,
    ticks: Interval,
    before: Snapshot,
    /// The counters at the beginning of the window.
    begin: Snapshot,
    is_warm: bool,
    /// CPU of the given processes as of the last snapshot of each; an ended process keeps its last value.
    cpu: Vec<Duration>,
    series: Series,
}

impl Monitor {
    /// Starts the monitor.
    pub fn new(run: Rc<Run>) -> Self {
        let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut cpu = vec![Duration::ZERO; run.options.pids.len()];
        let before = snapshot(&run, &mut cpu);
        let memory_before = memory(&run);
        let series = Series { memory_before, memory_most: memory_before, ..Series::default() };
        let is_warm = run.options.warm_up <= 0.0;
        Self { run, ticks, before, begin: before, is_warm, cpu, series }
    }

    /// Waits for the next second and takes a sample.
    pub async fn sample(&mut self) {
        self.ticks.tick().await;
        self.take_sample();
        if !self.is_warm && self.before.at.as_secs_f64() >= self.run.options.warm_up {
            self.is_warm = true;
            self.begin = self.before;
            self.run.stats.borrow_mut().end_warm_up();
        }
    }

    /// Takes the last sample: the window ends here.
    pub fn finish(mut self) -> Series {
        self.take_sample();
        if std::io::stderr().is_terminal() {
            eprintln!();
        }
        self.series.window = window(&self.begin, &self.before);
        self.series
    }

    fn take_sample(&mut self) {
        let (before, now) = (self.before, snapshot(&self.run, &mut self.cpu));
        self.before = now;
        let seconds = (now.at - before.at).as_secs_f64().max(1e-3);
        let rate = |now: u64, before: u64| (now - before) as f64 / seconds;
        let cores =
            |now: Duration, before: Duration| (now.saturating_sub(before)).as_secs_f64() / seconds;
        let mut stats = self.run.stats.borrow_mut();
        let of_late = stats.relay_of_late.summary();
        stats.relay_of_late.clear();
        let sample = Sample {
            at: now.at.as_secs_f64(),
            joins: rate(now.counts.joins, before.counts.joins),
            sent: rate(now.counts.sent, before.counts.sent),
            delivered: rate(now.counts.delivered, before.counts.delivered),
            p50: of_late.p50,
            p99: of_late.p99,
            sockets: stats.open_sockets,
            cpu: cores(now.cpu, before.cpu),
            own_cpu: cores(now.own_cpu, before.own_cpu),
            memory: memory(&self.run),
        };
        drop(stats);
        self.series.memory_most = self.series.memory_most.max(sample.memory);
        self.series.sockets_most = self.series.sockets_most.max(sample.sockets);
        print_progress(&sample, &now.counts);
        self.series.samples.push(sample);
    }
}

fn snapshot(run: &Run, cpu: &mut [Duration]) -> Snapshot {
    for (pid, cpu) in run.options.pids.iter().zip(cpu.iter_mut()) {
        *cpu = proc::cpu(*pid).unwrap_or(*cpu);
    }
    let cpu = cpu.iter().sum();
    let own_cpu = proc::cpu(std::process::id()).unwrap_or_default();
    Snapshot { at: run.elapsed(), counts: run.stats.borrow().counts, cpu, own_cpu }
}

fn memory(run: &Run) -> f64 {
    let bytes: u64 = run.options.pids.iter().filter_map(|pid| proc::resident(*pid)).sum();
    bytes as f64 / f64::from(1 << 20)
}

fn window(begin: &Snapshot, end: &Snapshot) -> Window {
    let seconds = (end.at.saturating_sub(begin.at)).as_secs_f64();
    let delivered = end.counts.delivered - begin.counts.delivered;
    let per_second = |value: f64| if seconds > 0.0 { value / seconds } else { 0.0 };
    let cpu_seconds = end.cpu.saturating_sub(begin.cpu).as_secs_f64();
    Window {
        seconds,
        sent: end.counts.sent - begin.counts.sent,
        delivered,
        delivered_per_second: per_second(delivered as f64),
        cpu_seconds,
        cpu_seconds_per_million: if delivered > 0 {
            cpu_seconds * 1e6 / delivered as f64
        } else {
            0.0
        },
        own_cores: per_second(end.own_cpu.saturating_sub(begin.own_cpu).as_secs_f64()),
    }
}

/// Prints one line; on a terminal it replaces the previous one.
fn print_progress(sample: &Sample, counts: &Counts) {
    let Sample { at, joins, delivered, p50, p99, sockets, cpu, own_cpu, memory, .. } = sample;
    let line = format!(
        "{at:5.0} s  {sockets} sockets  {joins:.0} joins/s  {delivered:.0} frames/s  p50 {p50:.1} ms  p99 {p99:.1} ms  \
        lost {}  doubled {}  errors {}  cpu {cpu:.2} (own {own_cpu:.2})  {memory:.0} MiB",
        counts.lost, counts.doubled, counts.errors
    );
    let mut stderr = std::io::stderr();
    // A failed write does not stop the run.
    let _ = match stderr.is_terminal() {
        true => write!(stderr, "\r\x1b[2K{line}"),
        false => writeln!(stderr, "{line}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_counts_what_happened_in_it() {
        let second = Duration::from_secs;
        let counts = |sent, delivered| Counts { sent, delivered, ..Counts::default() };
        let snapshot_at = |at, counts, cpu| Snapshot {
            at: second(at),
            counts,
            cpu: second(cpu),
            own_cpu: second(cpu / 2),
        };
        let window =
            window(&snapshot_at(2, counts(100, 400), 1), &snapshot_at(12, counts(600, 2400), 3));
        assert_eq!((window.sent, window.delivered), (500, 2000));
        assert!((window.delivered_per_second - 200.0).abs() < 1e-9);
        assert!((window.cpu_seconds_per_million - 1000.0).abs() < 1e-9);
        assert!((window.own_cores - 0.1).abs() < 1e-9);
    }
}
