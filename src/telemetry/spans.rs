//! The spans of this server, all in one place, with the names and attributes of OpenTelemetry's
//! semantic conventions (HTTP, messaging). They are short; what they cause is linked to them.

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::export::exporting;
use crate::game::GameId;

/// The span that caused something, carried to where the effect is. Nothing when traces are not
/// exported.
#[derive(Clone, Debug, Default)]
pub struct TraceContext(Option<SpanContext>);

impl TraceContext {
    /// No cause that anybody asked about.
    pub const fn none() -> Self {
        Self(None)
    }

    /// The span that is entered now.
    pub fn current() -> Self {
        if exporting() { Self::of(&Span::current()) } else { Self::none() }
    }

    fn of(span: &Span) -> Self {
        let context = span.context().span().span_context().clone();
        Self(context.is_valid().then_some(context))
    }

    /// The span that a `traceparent` (W3C Trace Context) names.
    pub fn from_traceparent(traceparent: &str) -> Self {
        let carrier = std::collections::HashMap::from([(
            String::from("traceparent"),
            String::from(traceparent),
        )]);
        let context = TraceContextPropagator::new().extract(&carrier);
        let context = context.span().span_context().clone();
        Self(context.is_valid().then_some(context))
    }

    /// The same as a `traceparent`, if there is something to tell.
    pub fn to_traceparent(&self) -> Option<String> {
        let cause = self.0.as_ref()?;
        let flags = cause.trace_flags().to_u8();
        Some(format!("00-{}-{}-{flags:02x}", cause.trace_id(), cause.span_id()))
    }

    /// The id of its trace, in hexadecimal, if there is one.
    pub fn trace_id(&self) -> Option<String> {
        self.0.as_ref().map(|cause| cause.trace_id().to_string())
    }

    fn link(&self, span: &Span) {
        if let Some(cause) = &self.0 {
            span.add_link(cause.clone());
        }
    }
}

/// A request, from its first hoop to its answer: `GET /api/v1/lobby/players`. The route's template,
/// never the query, which may hold keys.
pub(crate) fn request_span(method: &str, route: &str, traceparent: Option<&str>) -> Span {
    if !exporting() {
        return Span::none();
    }
    let route = if route.is_empty() { None } else { Some(format!("/{}", route.trim_matches('/'))) };
    let name =
        route.as_ref().map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let span = info_span!(
        "request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    if let Some(TraceContext(Some(parent))) = traceparent.map(TraceContext::from_traceparent) {
        let parent = opentelemetry::Context::new().with_remote_span_context(parent);
        // The span has not been entered, so it can still be given a parent.
        let _ = span.set_parent(parent);
    }
    span
}

/// An event being published: `publish race.started`.
pub(crate) fn publish_span(event: &'static str, game: Option<GameId>) -> Span {
    if !exporting() {
        return Span::none();
    }
    info_span!(
        "publish",
        otel.name = format!("publish {event}"),
        otel.kind = "producer",
        messaging.system = "typephoon",
        messaging.operation.type = "send",
        messaging.destination.name = event,
        typephoon.game.id = game.map(|game| game.0),
    )
}

/// An event or a timer being handled by a module: `process race.started`.
pub(crate) fn process_span(module: &'static str, what: &'static str, cause: &TraceContext) -> Span {
    if !exporting() {
        return Span::none();
    }
    let span = info_span!(
        "process",
        otel.name = format!("process {what}"),
        otel.kind = "consumer",
        messaging.system = "typephoon",
        messaging.operation.type = "process",
        messaging.destination.name = what,
        typephoon.module = module,
    );
    cause.link(&span);
    span
}

/// A step in the life of a socket: `open race socket`, `close race socket`.
pub(crate) fn socket_span(
    step: &'static str,
    channel: &'static str,
    socket: u64,
    cause: &TraceContext,
) -> Span {
    if !exporting() {
        return Span::none();
    }
    let name = format!("{step} {channel} socket");
    let span = info_span!("socket", otel.name = name, typephoon.socket.id = socket);
    cause.link(&span);
    span
}

/// How many frames have come that no trace was asked for.
static FRAMES: AtomicU64 = AtomicU64::new(0);

/// A frame of a client being handled: `receive KEY_STOKE`. One in `sample` has a span (0: none), and
/// each that says which trace it belongs to.
pub(crate) fn frame_span(
    event: &'static str,
    socket: u64,
    sample: u32,
    traceparent: Option<&str>,
) -> Span {
    if !exporting() {
        return Span::none();
    }
    let sampled = || {
        let number = FRAMES.fetch_add(1, Ordering::Relaxed);
        sample > 0 && number.is_multiple_of(u64::from(sample))
    };
    if traceparent.is_none() && !sampled() {
        return Span::none();
    }
    let name = format!("receive {event}");
    let span =
        info_span!("frame", otel.name = name, otel.kind = "server", typephoon.socket.id = socket);
    if let Some(traceparent) = traceparent {
        TraceContext::from_traceparent(traceparent).link(&span);
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_or_ignored() {
        let valid = "00-0af7651916cd43dd8448eb211c803100-b7ad6b7169203331-01";
        assert!(TraceContext::from_traceparent(valid).0.is_some());
        assert!(TraceContext::from_traceparent("nonsense").0.is_none());
    }
}
