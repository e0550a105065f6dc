//! The spans of what crosses the broker: sent, received, processed, settled. Names and attributes are those of
//! OpenTelemetry's conventions for messaging, and for RabbitMQ.
//!
//! A message has them only if something in it has a trace context: the span of an event's publication, or that of
//! whatever has armed a timer. What is sent is a child of it; what is received is linked to what was sent.

use tracing::field::Empty;
use tracing::{Span, info_span};

use super::TraceContext;

/// Links of one span at most: a batch may hold the keystrokes of many traces.
const LINKS: usize = 32;

/// A destination of the broker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Destination {
    /// Its name by the conventions: `exchange:key` where something is sent to, `exchange:key:queue` where it comes from.
    pub(crate) name: String,
    /// The same without what differs from pod to pod: part of the name of a span.
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

/// The span of an operation at a place of the broker, with what all of them have, and more.
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

/// A message of `size` events being sent: `send typephoon.pods:{pod}`. `traced` are the spans that published those which
/// are traced: of a single event's it is a child, to those in a batch it is linked.
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

/// A message having come: `receive typephoon.pods:{pod}`. `sent` is the span that sent it. None if it has none.
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

/// An event in a message being taken in: `process typephoon.pods:{pod}`, within the span of its receipt. `cause` is the
/// span that published it.
pub(crate) fn take_in_span(from: &Destination, cause: &TraceContext) -> Span {
    if !cause.is_some() {
        return Span::none();
    }
    let span = broker_span!("take in", "process" as "consumer", "process", from);
    cause.link(&span);
    span
}

/// A message being acknowledged: `ack typephoon.work:timers.v1`. `received` is the span of its receipt.
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
