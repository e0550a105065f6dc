//! What a connection to the broker consumes: the events for this pod, and work for any one pod, which is acknowledged
//! when it is done.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicRejectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Acker, Channel, Consumer};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::inbound::BrokerDelivery;
use super::link::{Failed, PATIENCE};
use super::{Bridge, Pod, inbound};
use crate::bus::{Receipt, Settled};
use crate::telemetry::{Destination, TraceContext, receive_span, settle_span};

/// Reply code for a channel that is no longer needed (AMQP 0-9-1).
const REPLY_SUCCESS: u16 = 200;

/// The consuming half of a connection.
pub(super) struct Consumers {
    pub(super) pods: Consumer,
    pub(super) once: Consumer,
    pub(super) timers: Consumer,
    /// The channel of the work consumers: closed when the server stops, so that other pods get unfinished work.
    pub(super) work: Channel,
}

pub(super) async fn consumer(
    channel: &Channel,
    queue: ShortString,
    no_ack: bool,
) -> Result<Consumer, lapin::Error> {
    let options = BasicConsumeOptions { no_ack, ..BasicConsumeOptions::default() };
    channel.basic_consume(queue, ShortString::default(), options, FieldTable::default()).await
}

/// The queue that a message came from.
enum Source {
    Pods,
    Once,
    Timers,
}

/// A handled or refused message that waits to be settled.
struct Handled {
    acker: Acker,
    settled: Settled,
    /// Its source and the span of its receipt, if it is traced.
    received: Option<(Destination, TraceContext)>,
}

impl Handled {
    async fn acknowledge(&self, bridge: &Bridge) -> Result<(), Failed> {
        let span = self.received.as_ref();
        let span = span.map(|(from, trace)| settle_span(&bridge.topology.peer(), from, trace));
        let acknowledging = async {
            match self.settled {
                Settled::Handled => self.acker.ack(BasicAckOptions::default()).await,
                Settled::Refused => {
                    let again = BasicRejectOptions { requeue: true };
                    self.acker.reject(again).await
                }
            }
        };
        let acknowledged = timeout(PATIENCE, acknowledging);
        let acknowledged = acknowledged.instrument(span.unwrap_or_else(Span::none)).await;
        acknowledged.map_err(|_| Failed("the broker takes no acknowledgement".into()))??;
        Ok(())
    }
}

/// Consumes messages until a consumer ends. An event of reach `Once` is acked when it is handled, so that another pod
/// gets it if this one dies before. Timers are acked on receipt; the agenda retries them.
pub(super) async fn consume(bridge: &Arc<Bridge>, pod: &Arc<Pod>, mut from: Consumers) -> Failed {
    // Room for as many as may be unacknowledged.
    let (handled, mut to_acknowledge) = mpsc::channel(usize::from(bridge.topology.prefetch) * 2);
    let mut takes_work = true;
    loop {
        let (delivery, source) = tokio::select! {
            delivery = from.pods.next() => (delivery, Source::Pods),
            delivery = from.once.next(), if takes_work => (delivery, Source::Once),
            delivery = from.timers.next(), if takes_work => (delivery, Source::Timers),
            done = to_acknowledge.recv(), if takes_work => {
                let done: Option<Handled> = done;
                if let Some(done) = done
                    && let Err(error) = done.acknowledge(bridge).await
                {
                    return error;
                }
                continue;
            }
            () = pod.stop.cancelled(), if takes_work => {
                takes_work = false;
                let closing = from.work.close(REPLY_SUCCESS, "stopping".into());
                let _ = timeout(PATIENCE, closing).await;
                continue;
            }
        };
        let delivery = match delivery {
            Some(Ok(delivery)) => delivery,
            Some(Err(error)) => return error.into(),
            None => return Failed("the broker has ended it".into()),
        };
        let (consumer, handled) = match source {
            Source::Pods => (&from.pods, None),
            Source::Once => (&from.once, Some(&handled)),
            Source::Timers => (&from.timers, Some(&handled)),
        };
        handle(bridge, pod, &delivery, consumer, handled);
    }
}

/// Handles a message, within a span if its content is traced. Work is acked later, through `handled`.
fn handle(
    bridge: &Arc<Bridge>,
    pod: &Arc<Pod>,
    delivery: &Delivery,
    consumer: &Consumer,
    handled: Option<&mpsc::Sender<Handled>>,
) {
    let (sent, topology) = (sent(delivery), &bridge.topology);
    let from = sent.is_some().then(|| topology.source(delivery, &consumer.queue()));
    let span = from.as_ref().map(|from| receive_span(&topology.peer(), from, &sent));
    let span = span.unwrap_or_else(Span::none);
    let receipt = handled.map(|handled| {
        let (handled, acker) = (handled.clone(), delivery.acker.clone());
        let received = from.clone().map(|from| (from, TraceContext::of(&span)));
        Receipt::new(move |settled| {
            // If there is no room, or the connection has ended, the broker redelivers it.
            let _ = handled.try_send(Handled { acker, settled, received });
        })
    });
    let received = BrokerDelivery { bytes: &delivery.data, from: from.as_ref(), sent, receipt };
    span.in_scope(|| inbound::handle_message(bridge, pod, received));
}

/// The span that sent a message, if it is traced.
fn sent(delivery: &Delivery) -> TraceContext {
    let trace = delivery.properties.headers().as_ref().and_then(|headers| {
        let AMQPValue::LongString(trace) = headers.inner().get("traceparent")? else {
            return None;
        };
        std::str::from_utf8(trace.as_bytes()).ok()
    });
    trace.map(TraceContext::from_traceparent).unwrap_or_default()
}
