//! The spans of requests, sockets, frames, and events on the bus, with the names and attributes of OpenTelemetry's
//! semantic conventions (HTTP, messaging). They are short; what they cause elsewhere is linked to them.
//!
//! Those of the broker are in `broker`, those of databases in `database`, those that are made after the fact in
//! `late`. `docs/telemetry.md` has the table of all of them, which a test compares with what is exported.

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

/// Bytes of a path that a span has at most.
const PATH_LIMIT: usize = 200;

/// A request as its span describes it.
pub(crate) struct RequestStart<'a> {
    /// The method; `_OTHER` if it is none of RFC 9110.
    pub(crate) method: &'static str,
    /// The template of its route, such as `/api/v1/online`; empty for a path that leads nowhere.
    pub(crate) route: &'a str,
    /// The path, without the query, which may hold keys.
    pub(crate) path: &'a str,
    /// The trace that the client says it belongs to.
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
    /// To be entered while the request is handled.
    pub(crate) span: Span,
    begun: Instant,
}

impl RequestSpan {
    /// The request has come.
    pub(crate) fn start(request: &RequestStart<'_>) -> Self {
        Self { span: request_span(request), begun: Instant::now() }
    }

    /// It was answered. An answer of 500 and more is an error of ours, and has a span even if the client wants none of its
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

/// A position being published: only within the span of its frame, which is one in many.
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

/// How many frames have come that no trace was asked for.
static FRAMES: AtomicU64 = AtomicU64::new(0);

/// A frame of a client as its span describes it.
pub(crate) struct FrameStart<'a> {
    /// Its `event`.
    pub(crate) event: &'static str,
    /// The module that takes it.
    pub(crate) module: &'static str,
    /// Which kind of socket it came on.
    pub(crate) channel: &'static str,
    /// Which one.
    pub(crate) socket: u64,
    /// The trace that the client says it belongs to.
    pub(crate) traceparent: Option<&'a str>,
}

/// A frame of a client being handled: `receive KEY_STOKE`. One in `sample` has a span (0: none), and
/// each that says which trace it belongs to.
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

/// Links of one span at most: what gathers may have many causes.
const LINKS: usize = 32;

/// A task doing what has gathered: `records save` (the journal), `arm timers`. Linked to what has caused it; none if no
/// cause is traced.
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

/// What the span that is entered now is about has failed.
pub(crate) fn span_failed(kind: Kind) {
    if exporting() {
        mark_failed(&Span::current(), kind.code);
    }
}

/// The same of any span.
pub(crate) fn mark_failed(span: &Span, error: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error);
}
