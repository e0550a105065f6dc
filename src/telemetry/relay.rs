//! Relay latency: from the arrival of a position to its write to the sockets of the other players.
//!
//! One keystroke in [`ONE_IN`] is measured, on its way to each receiver. The others carry nothing, or, if traces are
//! exported, when they came, so that a slow one can have a span ([`super::late`]). Only a traced one costs an allocation.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::registry::Registry;

use super::TraceContext;
use super::count::RELAY_LATENCY;
use super::export::exporting;
use super::meter::{About, Instrument};

/// One keystroke in so many is measured, and each that is traced.
const ONE_IN: u32 = 16;

/// Upper bounds in seconds: fine below a hundred milliseconds, where players begin to notice.
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

/// The birth of a frame: when it was made here, how long what it tells was on its way before, and in which span. It
/// travels with the frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Born {
    /// Nothing for a frame that is neither measured nor watched.
    at: Option<Instant>,
    /// From the socket of its sender to this pod.
    travelled: Duration,
    is_measured: bool,
    /// The span that made it; nothing for nearly all.
    cause: Option<Arc<TraceContext>>,
}

/// How many frames of positions were born.
static BIRTHS: AtomicU32 = AtomicU32::new(0);

impl Born {
    /// A position's frame is made now, of a keystroke that came to its pod so long ago. Without exported traces one in
    /// [`ONE_IN`] is noted; with them each is, since it may turn out to be slow.
    pub(crate) fn position(travelled: Duration) -> Self {
        let cause = cause();
        let is_measured =
            cause.is_some() || BIRTHS.fetch_add(1, Ordering::Relaxed).is_multiple_of(ONE_IN);
        let at = (is_measured || exporting()).then(Instant::now);
        Self { at, travelled, is_measured, cause }
    }

    /// Another frame, or the reason for one, is made now. It is noted only within a span.
    pub(crate) fn in_span(travelled: Duration) -> Self {
        let cause = cause();
        Self { at: cause.is_some().then(Instant::now), travelled, is_measured: false, cause }
    }

    /// Whether it is noted when it leaves.
    pub(crate) fn is_noted(&self) -> bool {
        self.at.is_some()
    }

    /// Whether its latency is measured.
    pub(crate) fn is_measured(&self) -> bool {
        self.is_measured
    }

    /// The span that made it.
    pub(crate) fn cause(&self) -> Option<&TraceContext> {
        self.cause.as_deref()
    }

    /// For how long it has been here.
    pub(crate) fn age(&self) -> Duration {
        self.at.map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// The same from the socket of its sender on.
    pub(crate) fn whole_age(&self) -> Duration {
        self.age() + self.travelled
    }

    /// The frame, which is measured, has been written to a socket.
    pub(crate) fn observe(&self) {
        let exemplar = self.cause().and_then(TraceContext::trace_id).map(|id| [("trace_id", id)]);
        let stamp = exemplar.is_some().then(SystemTime::now);
        RELAY_LATENCY.metric().observe(self.age().as_secs_f64(), exemplar, stamp);
    }
}

/// The span that is entered now, to be shared by frames.
fn cause() -> Option<Arc<TraceContext>> {
    let cause = TraceContext::current();
    cause.is_some().then(|| Arc::new(cause))
}
