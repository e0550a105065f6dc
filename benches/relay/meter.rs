//! Clock, counters and the figures made from them.

use crate::report::Row;
use crate::server::Server;
use crate::{Outcome, proc};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Typed before the measured span begins.
const WARM_UP: Duration = Duration::from_secs(1);

/// What one round gave.
pub struct Figures {
    counted: Counts,
    /// Microseconds, ascending.
    latencies: Vec<u32>,
}

impl Figures {
    /// From the totals and every latency in microseconds.
    pub fn new(counted: Counts, mut latencies: Vec<u32>) -> Self {
        latencies.sort_unstable();
        Self { counted, latencies }
    }

    /// Empty rows for what `list` gives.
    pub fn rows() -> [Row; 8] {
        [
            Row::new("CPU per keystroke", "µs", 1),
            Row::new("CPU per delivered frame", "µs", 2),
            Row::new("relay latency, median", "ms", 2),
            Row::new("relay latency, 99th percentile", "ms", 2),
            Row::new("relay latency, maximum", "ms", 2),
            Row::new("frames delivered of those due", "%", 2),
            Row::new("resident memory", "MiB", 1),
            Row::new("CPU of the load generator", "cores", 2),
        ]
    }

    /// In the order of `rows`.
    pub fn list(&self, span: Duration) -> [f64; 8] {
        let Counts { sent, due, delivered, cpu, own_cpu, resident } = self.counted;
        let micros = cpu.as_secs_f64() * 1e6;
        [
            micros / sent as f64,
            micros / delivered as f64,
            self.latency(0.5),
            self.latency(0.99),
            self.latency(1.0),
            100.0 * delivered as f64 / due as f64,
            resident as f64 / f64::from(1 << 20),
            own_cpu.as_secs_f64() / span.as_secs_f64(),
        ]
    }

    /// The latency in milliseconds that this part of the frames did not exceed.
    fn latency(&self, part: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * part).ceil() as usize;
        self.latencies
            .get(rank.saturating_sub(1))
            .map_or(f64::NAN, |micros| f64::from(*micros) / 1e3)
    }
}

/// Totals over some time.
#[derive(Clone, Copy)]
pub struct Counts {
    sent: u64,
    /// One for every other player of the sender's game.
    due: u64,
    delivered: u64,
    /// Of the server.
    cpu: Duration,
    /// Of the load generator.
    own_cpu: Duration,
    /// Bytes of memory of the server at the end.
    resident: u64,
}

/// The clock and the counters that all players share.
pub struct Meter {
    /// When the first key is pressed.
    pub start: Instant,
    begin: Instant,
    /// When the measured span is over.
    pub end: Instant,
    sent: AtomicU64,
    due: AtomicU64,
    delivered: AtomicU64,
}

impl Meter {
    /// Typing begins at `start`; what is measured begins a little later and lasts `span`.
    pub fn starting(start: Instant, span: Duration) -> Self {
        let begin = start + WARM_UP;
        let zero = || AtomicU64::new(0);
        Self { start, begin, end: begin + span, sent: zero(), due: zero(), delivered: zero() }
    }

    /// Nanoseconds since the first keystroke.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Counts a keystroke that so many others are to see.
    pub fn note_sent(&self, others: usize) {
        self.sent.fetch_add(1, Relaxed);
        self.due.fetch_add(others as u64, Relaxed);
    }

    /// Counts a frame sent at that time by this clock, and gives its latency in microseconds if it is one to measure.
    pub fn note_delivered(&self, sent_at: u64) -> Option<u32> {
        self.delivered.fetch_add(1, Relaxed);
        let at = self.start + Duration::from_nanos(sent_at);
        let micros = self.now().saturating_sub(sent_at) / 1_000;
        (self.begin <= at && at < self.end).then(|| u32::try_from(micros).unwrap_or(u32::MAX))
    }

    /// What happens between begin and end.
    pub async fn count(&self, server: &Server) -> Outcome<Counts> {
        sleep_until(self.begin).await;
        let before = self.read(server)?;
        sleep_until(self.end).await;
        let after = self.read(server)?;
        Ok(Counts {
            sent: after.sent - before.sent,
            due: after.due - before.due,
            delivered: after.delivered - before.delivered,
            cpu: after.cpu - before.cpu,
            own_cpu: after.own_cpu - before.own_cpu,
            resident: after.resident,
        })
    }

    fn read(&self, server: &Server) -> Outcome<Counts> {
        Ok(Counts {
            sent: self.sent.load(Relaxed),
            due: self.due.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            cpu: proc::cpu(server.pid())?,
            own_cpu: proc::cpu(std::process::id())?,
            resident: proc::resident(server.pid())?,
        })
    }
}
