//! Relay latency: from the arrival of a position to its write to the sockets of the other players.
//!
//! One keystroke in [`ONE_IN`] is measured, for each receiver. The others carry nothing or, if traces are exported,
//! their arrival time, so that a slow one can get a span ([`super::late`]). Only traced ones cost an allocation.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::registry::Registry;

use super::TraceContext;
use super::count::RELAY_LATENCY;
use super::export::exporting;
use super::meter::{About, Instrument};

/// One in this many keystrokes is measured, and each traced one.
const ONE_IN: u32 = 16;

/// Upper bounds in seconds: fine-grained up to 100 ms, from which players notice delays.
const BOUNDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_2, 0.000_3, 0.000_5, 0.000_75, 0.001, 0.001_5, 0.002, 0.003, 0.005,
    0.007_5, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0,
];

type Exemplar = [(&'static str, String); 1];

/// The histogram, whose exemplars are the trace ids of traced keystrokes.
#[derive(Debug)]
pub struct RelayLatency {
    help: &'static str,
    name: &'static str,
    metric: OnceLock<HistogramWithExemplars<Exemplar>>,
}

impl RelayLatency {
    /// The entry of the table.
    pub(super) const fn new(help: &'static str, name: &'static str) -> Self {
        Self { help, name, metric: OnceLock::new() }
    }

    fn metric(&self) -> &HistogramWithExemplars<Exemplar> {
        self.metric.get_or_init(|| HistogramWithExemplars::new(BOUNDS.iter().copied()))
    }
}

impl Instrument for RelayLatency {
    fn about(&self) -> About {
        About { name: self.name, help: self.help, kind: "histogram", labels: &[] }
    }
    fn expose(&'static self, registry: &mut Registry) {
        self.about().register(self.metric().clone(), registry);
    }
}

/// The origin of a frame: when it was created here, how long its event took before, and in which span. It travels with
/// the frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Born {
    /// `None` for a frame that is neither measured nor watched.
    at: Option<Instant>,
    /// The time from the sender's socket to this pod.
    travelled: Duration,
    is_measured: bool,
    /// The span that created it; `None` for nearly all.
    cause: Option<Arc<TraceContext>>,
}

/// Number of position frames so far.
static BIRTHS: AtomicU32 = AtomicU32::new(0);

impl Born {
    /// The origin of a position's frame created now, whose keystroke arrived at its pod `travelled` ago. Without
    /// exported traces one in [`ONE_IN`] is recorded; with them each is, since it may turn out to be slow.
    pub(crate) fn position(travelled: Duration) -> Self {
        let cause = cause();
        let is_measured =
            cause.is_some() || BIRTHS.fetch_add(1, Ordering::Relaxed).is_multiple_of(ONE_IN);
        let at = (is_measured || exporting()).then(Instant::now);
        Self { at, travelled, is_measured, cause }
    }

    /// The origin of another frame created now. Recorded only within a span.
    pub(crate) fn in_span(travelled: Duration) -> Self {
        let cause = cause();
        Self { at: cause.is_some().then(Instant::now), travelled, is_measured: false, cause }
    }

    /// Whether it is recorded when written.
    pub(crate) fn is_noted(&self) -> bool {
        self.at.is_some()
    }

    /// Whether its latency is measured.
    pub(crate) fn is_measured(&self) -> bool {
        self.is_measured
    }

    /// The span that created it.
    pub(crate) fn cause(&self) -> Option<&TraceContext> {
        self.cause.as_deref()
    }

    /// The time since its creation here.
    pub(crate) fn age(&self) -> Duration {
        self.at.map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// The time since its arrival at the sender's socket.
    pub(crate) fn whole_age(&self) -> Duration {
        self.age() + self.travelled
    }

    /// Records the latency of a measured frame when it is written to a socket.
    pub(crate) fn observe(&self) {
        let exemplar = self.cause().and_then(TraceContext::trace_id).map(|id| [("trace_id", id)]);
        let stamp = exemplar.is_some().then(SystemTime::now);
        RELAY_LATENCY.metric().observe(self.age().as_secs_f64(), exemplar, stamp);
    }
}

/// The current span, to be shared by frames.
fn cause() -> Option<Arc<TraceContext>> {
    let cause = TraceContext::current();
    cause.is_some().then(|| Arc::new(cause))
}
