//! Spans created after the fact, with their real start: SQL statements reported by the driver, written frames, slow
//! deliveries, and failures outside sampled spans.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{Link, Span as _, SpanBuilder, SpanKind, Status, TraceId, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingResult, SdkTracer, ShouldSample};

use super::TraceContext;
use super::export::exporting;
use crate::game::GameId;

/// A slower delivery from socket to socket gets a span, even if its keystroke is not sampled.
pub(crate) const SLOW_DELIVERY: Duration = Duration::from_millis(250);

/// Spans of one kind per second, which bounds those caused by overload or clients. Metrics count all.
const PER_SECOND: u64 = 50;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Sets the tracer for late spans.
pub(super) fn begin(tracer: SdkTracer) {
    // Set once, at start-up.
    let _ = TRACER.set(tracer);
}

/// The number of spans of one kind in this second.
#[derive(Default)]
struct Budget(AtomicU64);

impl Budget {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Takes one, if one is left. The upper half of the number is the second, the lower half the count.
    fn take(&self, second: u64) -> bool {
        let second = second << 32;
        let spend = |known: u64| match known & !0xffff_ffff == second {
            true => (known & 0xffff_ffff < PER_SECOND).then_some(known + 1),
            false => Some(second | 1),
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
    }

    fn spend(&self) -> bool {
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        // Not zero, which is the initial value.
        self.take(BEGUN.get_or_init(Instant::now).elapsed().as_secs() + 1)
    }
}

static SLOW: Budget = Budget::new();
static FAILED: Budget = Budget::new();
static MALFORMED: Budget = Budget::new();

/// A span that has already ended.
pub(super) struct Late<'a> {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: SpanKind,
    pub(super) parent: &'a TraceContext,
    pub(super) took: Duration,
    pub(super) attributes: Vec<KeyValue>,
    /// Whether it is a failure.
    pub(super) failed: bool,
}

impl Late<'_> {
    pub(super) fn make(self) {
        let Some(tracer) = TRACER.get() else { return };
        let now = SystemTime::now();
        let start = now.checked_sub(self.took).unwrap_or(now);
        let builder = SpanBuilder::from_name(self.name)
            .with_kind(self.kind)
            .with_start_time(start)
            .with_attributes(self.attributes);
        let mut span = tracer.build_with_context(builder, &self.parent.to_parent());
        if self.failed {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(now);
    }
}

/// A written frame, as its span describes it.
pub(crate) struct Departure<'a> {
    /// Its `event`.
    pub(crate) event: String,
    /// The channel of the receiving socket.
    pub(crate) channel: &'static str,
    /// The number of the socket.
    pub(crate) socket: u64,
    /// The game of that socket.
    pub(crate) game: GameId,
    /// The span in which the frame was created; empty if its keystroke was not sampled.
    pub(crate) cause: &'a TraceContext,
}

impl Departure<'_> {
    fn attributes(&self) -> Vec<KeyValue> {
        vec![
            KeyValue::new("typephoon.channel", self.channel),
            KeyValue::new("typephoon.socket.id", self.socket.cast_signed()),
            KeyValue::new("typephoon.game.id", self.game.0),
        ]
    }

    /// From the outbox to the write: `write KEY_STOKE`.
    pub(crate) fn write_span(&self, took: Duration) {
        let (name, attributes) = (format!("write {}", self.event).into(), self.attributes());
        let (kind, parent, failed) = (SpanKind::Producer, self.cause, false);
        Late { name, kind, parent, took, attributes, failed }.make();
    }

    /// A slow delivery from the sender's socket to this one: `relay KEY_STOKE`.
    pub(crate) fn slow_span(&self, took: Duration) {
        if !SLOW.spend() {
            return;
        }
        let (name, mut attributes) = (format!("relay {}", self.event).into(), self.attributes());
        attributes.push(KeyValue::new(FORCED, true));
        let (kind, parent, failed) = (SpanKind::Internal, self.cause, false);
        Late { name, kind, parent, took, attributes, failed }.make();
    }
}

/// A malformed frame: `receive malformed frame`.
pub(crate) fn malformed_frame(channel: &'static str, socket: u64) {
    if exporting() && MALFORMED.spend() {
        failed_frame("malformed frame", channel, socket, "malformed");
    }
}

/// A frame without a span whose handler panicked: `receive KEY_STOKE`.
pub(crate) fn frame_panicked(event: &str, channel: &'static str, socket: u64) {
    if exporting() && FAILED.spend() {
        failed_frame(event, channel, socket, "panic");
    }
}

fn failed_frame(event: &str, channel: &'static str, socket: u64, error: &'static str) {
    let attributes = vec![
        KeyValue::new("typephoon.channel", channel),
        KeyValue::new("typephoon.socket.id", socket.cast_signed()),
        KeyValue::new("error.type", error),
    ];
    let (name, kind) = (format!("receive {event}").into(), SpanKind::Server);
    let (parent, took) = (&TraceContext::none(), Duration::ZERO);
    Late { name, kind, parent, took, attributes, failed: true }.make();
}

/// A failure outside a span, or in one that is not exported.
pub(super) fn failed(
    name: String,
    kind: SpanKind,
    parent: &TraceContext,
    begun: Instant,
    attributes: Vec<KeyValue>,
) {
    if exporting() && FAILED.spend() {
        let (name, took) = (name.into(), begun.elapsed());
        Late { name, kind, parent, took, attributes, failed: true }.make();
    }
}

/// Attribute of spans that are exported regardless of their trace's flags.
const FORCED: &str = "typephoon.slow";

/// Exports every span, unless the client disabled its trace; spans of failures and slow deliveries are always exported.
#[derive(Clone, Debug)]
pub(super) struct Sampling(Sampler);

impl Default for Sampling {
    fn default() -> Self {
        Self(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
    }
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let is_forced = |it: &KeyValue| matches!(it.key.as_str(), FORCED | "error.type");
        let sampler = if attributes.iter().any(is_forced) { &Sampler::AlwaysOn } else { &self.0 };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_spans_of_a_kind_and_the_next_has_them_again() {
        let budget = Budget::default();
        for second in [1, 2] {
            assert_eq!((0..2 * PER_SECOND).filter(|_| budget.take(second)).count(), 50);
        }
    }
}
