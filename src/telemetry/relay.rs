//! Relay latency: from the arrival of a position to its write to the sockets of the other players.
//!
//! One keystroke in [`ONE_IN`] is measured, on its way to each receiver; the others carry nothing. So it costs
//! an allocation per sixteen keystrokes, and no clock is read for the rest.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::registry::Registry;

use super::TraceContext;
use super::count::RELAY_LATENCY;
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

/// The birth of a frame that is measured; it travels with the frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Born(Option<Arc<(Instant, TraceContext)>>);

/// How many frames were born.
static BIRTHS: AtomicU32 = AtomicU32::new(0);

impl Born {
    /// Now, if this frame is one of those that are measured.
    pub(crate) fn now() -> Self {
        let trace = TraceContext::current();
        let is_measured = trace.trace_id().is_some()
            || BIRTHS.fetch_add(1, Ordering::Relaxed).is_multiple_of(ONE_IN);
        Self(is_measured.then(|| Arc::new((Instant::now(), trace))))
    }

    /// The frame has been written to a socket.
    pub(crate) fn written(&self) {
        let Some((at, trace)) = self.0.as_deref() else { return };
        let exemplar = trace.trace_id().map(|id| [("trace_id", id)]);
        let stamp = exemplar.is_some().then(SystemTime::now);
        RELAY_LATENCY.metric().observe(at.elapsed().as_secs_f64(), exemplar, stamp);
    }
}
