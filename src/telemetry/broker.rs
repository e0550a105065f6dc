//! Spans of broker messages: sent, received, processed, settled. Names and attributes follow OpenTelemetry's
//! conventions for messaging and RabbitMQ.
//!
//! A message has spans only if something in it has a trace context: that of an event's publication, or of the span that
//! armed a timer. `send` is a child of it; `receive` is linked to `send`.

use tracing::field::Empty;
use tracing::{Span, info_span};

use super::TraceContext;

/// Limit of links per span: a batch may hold the keystrokes of many traces.
const LINKS: usize = 32;

/// A destination of the broker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Destination {
    /// Its name by the conventions: `exchange:key` as a target, `exchange:key:queue` as a source.
    pub(crate) name: String,
    /// The same with placeholders for what differs between pods: part of a span's name.
    pub(crate) template: String,
    /// The routing key.
    pub(crate) key: String,
}

/// The broker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// Its host.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
}

/// The span of a broker operation, with the common attributes and more.
macro_rules! broker_span {
    ($name:literal, $operation:literal as $kind:literal, $type:literal, $at:expr $(, $($more:tt)*)?) => {
        info_span!(
            $name,
            otel.name = format!(concat!($operation, " {}"), $at.template),
            otel.kind = $kind,
            messaging.system = "rabbitmq",
            messaging.operation.name = $operation,
            messaging.operation.type = $type,
            messaging.destination.name = $at.name,
            messaging.destination.template = $at.template,
            messaging.rabbitmq.destination.routing_key = $at.key,
            $($($more)*)?
        )
    };
}

/// Sending a message of `size` events: `send typephoon.pods:{pod}`. `traced` are the publishing spans of the traced
/// events: the child of that of a single event, linked to those of a batch.
pub(crate) fn send_span(
    peer: &Peer,
    to: &Destination,
    traced: &[&TraceContext],
    size: usize,
) -> Span {
    let count = (size > 1).then_some(i64::try_from(size).unwrap_or(i64::MAX));
    let span = broker_span!(
        "send", "send" as "producer", "send", to,
        messaging.batch.message_count = count,
        server.address = peer.host,
        server.port = i64::from(peer.port),
        otel.status_code = Empty,
        error.type = Empty,
    );
    match traced {
        [only] if size == 1 => only.adopt(&span),
        many => many.iter().take(LINKS).for_each(|it| it.link(&span)),
    }
    span
}

/// Receiving a message: `receive typephoon.pods:{pod}`. `sent` is the span that sent it; disabled without one.
pub(crate) fn receive_span(peer: &Peer, from: &Destination, sent: &TraceContext) -> Span {
    if !sent.is_some() {
        return Span::none();
    }
    let span = broker_span!(
        "receive", "receive" as "client", "receive", from,
        server.address = peer.host,
        server.port = i64::from(peer.port),
    );
    sent.link(&span);
    span
}

/// Publishing a received event on this pod: `process typephoon.pods:{pod}`, within the span of the receipt. `cause` is
/// the span that published it originally.
pub(crate) fn take_in_span(from: &Destination, cause: &TraceContext) -> Span {
    if !cause.is_some() {
        return Span::none();
    }
    let span = broker_span!("take in", "process" as "consumer", "process", from);
    cause.link(&span);
    span
}

/// Acking a message: `ack typephoon.work:timers.v1`. `received` is the span of its receipt.
pub(crate) fn settle_span(peer: &Peer, from: &Destination, received: &TraceContext) -> Span {
    if !received.is_some() {
        return Span::none();
    }
    let span = broker_span!(
        "settle", "ack" as "client", "settle", from,
        server.address = peer.host,
        server.port = i64::from(peer.port),
        otel.status_code = Empty,
        error.type = Empty,
    );
    received.adopt(&span);
    span
}
