//! The spans of requests, sockets, frames, and events on the bus, with the names and attributes of OpenTelemetry's
//! semantic conventions (HTTP, messaging). They are short; work that they cause elsewhere is linked to them.
//!
//! Those of the broker are in `broker`, those of databases in `database`, those created after the fact in `late`.
//! `docs/telemetry.md` has the table of all spans, which a test compares with the exported ones.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::export::exporting;
use super::{TraceContext, late};
use crate::Kind;
use crate::game::GameId;

/// Longest path in a span, in bytes.
const PATH_LIMIT: usize = 200;

/// A request as its span describes it.
pub(crate) struct RequestStart<'a> {
    /// The method; `_OTHER` if it is not one of RFC 9110.
    pub(crate) method: &'static str,
    /// The template of its route, such as `/api/v1/online`; empty for an unknown path.
    pub(crate) route: &'a str,
    /// The path, without the query, which may hold keys; of a route with parameters, its template.
    pub(crate) path: &'a str,
    /// The client's trace context.
    pub(crate) traceparent: Option<&'a str>,
}

impl RequestStart<'_> {
    fn name(&self) -> String {
        let verb = if self.method == "_OTHER" { "HTTP" } else { self.method };
        if self.route.is_empty() { verb.to_owned() } else { format!("{verb} {}", self.route) }
    }
}

/// A request, from its first byte to its answer: `GET /api/v1/lobby/players`.
#[derive(Debug)]
pub(crate) struct RequestSpan {
    /// Entered while the request is handled.
    pub(crate) span: Span,
    begun: Instant,
}

impl RequestSpan {
    /// Starts the span of a request.
    pub(crate) fn start(request: &RequestStart<'_>) -> Self {
        Self { span: request_span(request), begun: Instant::now() }
    }

    /// Ends the span. A status of 500 or above is a server error, and is exported even if the client disabled its
    /// trace.
    pub(crate) fn end(self, request: &RequestStart<'_>, status: u16) {
        let status_code = i64::from(status);
        self.span.record("http.response.status_code", status_code);
        if status < 500 {
            return;
        }
        mark_failed(&self.span, &status.to_string());
        let trace = TraceContext::of(&self.span);
        if exporting() && !trace.is_sampled() {
            let attributes = vec![
                KeyValue::new("http.request.method", request.method),
                KeyValue::new("http.route", request.route.to_owned()),
                KeyValue::new("http.response.status_code", status_code),
                KeyValue::new("error.type", status.to_string()),
            ];
            late::failed(request.name(), SpanKind::Server, &trace, self.begun, attributes);
        }
    }
}

fn request_span(request: &RequestStart<'_>) -> Span {
    if !exporting() {
        return Span::none();
    }
    let RequestStart { method, route, path, traceparent } = *request;
    let end = (0..=path.len().min(PATH_LIMIT)).rev().find(|at| path.is_char_boundary(*at));
    let span = info_span!(
        "request",
        otel.name = request.name(),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = (!route.is_empty()).then_some(route),
        http.response.status_code = Empty,
        url.path = &path[..end.unwrap_or_default()],
        url.scheme = "http",
        error.type = Empty,
    );
    if let Some(traceparent) = traceparent {
        TraceContext::from_traceparent(traceparent).adopt(&span);
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
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.destination.name = event,
        typephoon.game.id = game.map(|game| game.0),
    )
}

/// A position being published: only within the span of its frame, which is sampled.
pub(crate) fn relay_span(event: &'static str, game: Option<GameId>) -> Span {
    if TraceContext::current().is_some() { publish_span(event, game) } else { Span::none() }
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
        otel.status_code = Empty,
        messaging.system = "typephoon",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = what,
        typephoon.module = module,
        error.type = Empty,
    );
    cause.link(&span);
    span
}

/// A step in the life of a socket: `open race socket`, `catch up race socket`, `close race socket`.
pub(crate) fn socket_span(
    step: &'static str,
    channel: &'static str,
    socket: u64,
    cause: &TraceContext,
) -> Span {
    if !exporting() {
        return Span::none();
    }
    let span = info_span!(
        "socket",
        otel.name = format!("{step} {channel} socket"),
        otel.status_code = Empty,
        typephoon.channel = channel,
        typephoon.socket.id = socket.cast_signed(),
        error.type = Empty,
    );
    cause.link(&span);
    span
}

/// Number of frames without a trace context so far.
static FRAMES: AtomicU64 = AtomicU64::new(0);

/// A frame of a client as its span describes it.
pub(crate) struct FrameStart<'a> {
    /// Its `event`.
    pub(crate) event: &'static str,
    /// The module that handles it.
    pub(crate) module: &'static str,
    /// The channel of its socket.
    pub(crate) channel: &'static str,
    /// The number of its socket.
    pub(crate) socket: u64,
    /// The client's trace context.
    pub(crate) traceparent: Option<&'a str>,
}

/// A client's frame being handled: `receive KEY_STOKE`. One in `sample` has a span (0: none), and each with a trace
/// context.
pub(crate) fn frame_span(frame: &FrameStart<'_>, sample: u32) -> Span {
    if !exporting() {
        return Span::none();
    }
    let sampled = || {
        let number = FRAMES.fetch_add(1, Ordering::Relaxed);
        sample > 0 && number.is_multiple_of(u64::from(sample))
    };
    if frame.traceparent.is_none() && !sampled() {
        return Span::none();
    }
    let span = info_span!(
        "frame",
        otel.name = format!("receive {}", frame.event),
        otel.kind = "server",
        otel.status_code = Empty,
        typephoon.module = frame.module,
        typephoon.channel = frame.channel,
        typephoon.socket.id = frame.socket.cast_signed(),
        error.type = Empty,
    );
    if let Some(traceparent) = frame.traceparent {
        TraceContext::from_traceparent(traceparent).adopt(&span);
    }
    span
}

/// Limit of links per span: a batch may have many causes.
const LINKS: usize = 32;

/// A task processing a batch: `records save` (the journal), `arm timers`. Linked to its causes; disabled if none is
/// traced.
pub(crate) fn gathered_span<'a>(
    what: &'static str,
    causes: impl Iterator<Item = &'a TraceContext>,
) -> Span {
    let mut causes = causes.filter(|it| it.is_some()).take(LINKS).peekable();
    if causes.peek().is_none() {
        return Span::none();
    }
    let span =
        info_span!("gathered", otel.name = what, otel.status_code = Empty, error.type = Empty);
    causes.for_each(|it| it.link(&span));
    span
}

/// Marks the current span as failed.
pub(crate) fn span_failed(kind: Kind) {
    if exporting() {
        mark_failed(&Span::current(), kind.code);
    }
}

/// Marks a span as failed.
pub(crate) fn mark_failed(span: &Span, error: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error);
}
