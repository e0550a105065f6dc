//! Trace context: a reference to the span that caused something, carried to the place of its effect.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::export::exporting;

/// The name of the header (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";

/// The span that caused something. Empty if traces are not exported, and outside spans.
#[derive(Clone, Debug, Default)]
pub struct TraceContext(Option<SpanContext>);

impl TraceContext {
    /// No traced cause.
    pub const fn none() -> Self {
        Self(None)
    }

    /// The current span. Called for every keystroke: without a span it costs two loads.
    pub fn current() -> Self {
        if !exporting() {
            return Self::none();
        }
        let span = Span::current();
        if span.is_none() { Self::none() } else { Self::of(&span) }
    }

    pub(crate) fn of(span: &Span) -> Self {
        if span.is_none() {
            return Self::none();
        }
        let context = span.context().span().span_context().clone();
        Self(context.is_valid().then_some(context))
    }

    /// The span named by a `traceparent` (W3C Trace Context).
    pub fn from_traceparent(traceparent: &str) -> Self {
        let context = TraceContextPropagator::new().extract(&Header(traceparent));
        let context = context.span().span_context().clone();
        Self(context.is_valid().then_some(context))
    }

    /// As a `traceparent`, if there is a cause.
    pub fn to_traceparent(&self) -> Option<String> {
        let cause = self.0.as_ref()?;
        let flags = cause.trace_flags().to_u8();
        Some(format!("00-{}-{}-{flags:02x}", cause.trace_id(), cause.span_id()))
    }

    /// Its trace id, in hexadecimal, if there is one.
    pub fn trace_id(&self) -> Option<String> {
        self.0.as_ref().map(|cause| cause.trace_id().to_string())
    }

    /// Whether there is a cause.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Whether its spans are exported. A client may disable that for its trace.
    pub(crate) fn is_sampled(&self) -> bool {
        self.0.as_ref().is_some_and(SpanContext::is_sampled)
    }

    /// Links a span to this one.
    pub(super) fn link(&self, span: &Span) {
        if let Some(cause) = &self.0 {
            span.add_link(cause.clone());
        }
    }

    /// Makes a span a child of this one. It must not have been entered.
    pub(super) fn adopt(&self, span: &Span) {
        if self.0.is_some() {
            // Fails only for a span that is not exported.
            let _ = span.set_parent(self.to_parent());
        }
    }

    /// The context of its children.
    pub(super) fn to_parent(&self) -> Context {
        let cause = self.0.clone();
        cause.map_or_else(Context::new, |it| Context::new().with_remote_span_context(it))
    }
}

/// A carrier with this header only.
struct Header<'a>(&'a str);

impl Extractor for Header<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }
    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_or_ignored() {
        let valid = "00-0af7651916cd43dd8448eb211c803100-b7ad6b7169203331-01";
        let read = TraceContext::from_traceparent(valid);
        assert_eq!(read.to_traceparent().as_deref(), Some(valid));
        assert_eq!(read.trace_id().as_deref(), Some("0af7651916cd43dd8448eb211c803100"));
        assert!(read.is_sampled());
        let unsampled = "00-0af7651916cd43dd8448eb211c803100-b7ad6b7169203331-00";
        assert!(!TraceContext::from_traceparent(unsampled).is_sampled());
        assert!(!TraceContext::from_traceparent("nonsense").is_some());
    }
}
