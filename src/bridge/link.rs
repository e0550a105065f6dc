//! One connection to the broker: publishing, and reconnecting. Consuming is in `consume`.
//!
//! lapin's own recovery is not used: after a restart of the broker its consumers receive nothing (amqp-rs/lapin issue
//! 450). Here the loss of any channel or consumer ends the whole connection, and the next one starts afresh.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::consume::{Consumers, consume, consumer};
use super::topology::{ALL, ONCE, TIMERS, Topology};
use super::{Bridge, Pod, pulse};
use crate::game::PodName;
use crate::telemetry::{TraceContext, count, mark_failed};

/// Timeout for the confirm of a message.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Timeout for connecting and declaring everything.
const OPEN_PATIENCE: Duration = Duration::from_secs(20);
/// Interval of the check that the broker accepts messages.
const LOOK: Duration = Duration::from_secs(1);
/// The routing key of probes, which check that the broker accepts messages.
const PROBE: &str = "probe";
/// How long an event of reach `Once` may wait for its confirm; then the publishing pod handles it.
const ASSIGN_PATIENCE: Duration = Duration::from_secs(2);
/// Shortest and longest back-off between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Persistent (AMQP 0-9-1, delivery mode 2).
const PERSISTENT: u8 = 2;

/// The cause of a failure, for the log.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<lapin::Error> for Failed {
    fn from(error: lapin::Error) -> Self {
        Self(error.to_string())
    }
}

/// The publishing half of a connection.
pub(super) struct Link {
    /// Without confirms: positions.
    latest: Channel,
    /// With confirms: everything else.
    never: Channel,
    /// The wait queues that have been declared over this connection.
    delays: Mutex<HashSet<Duration>>,
}

impl Link {
    /// Publishes to some pods, in one message, confirmed. Its span is a child of `cause`, as in all these functions.
    pub(super) async fn publish(
        &self,
        topology: &Topology,
        pods: &[PodName],
        message: &[u8],
        cause: &TraceContext,
    ) -> Result<(), Failed> {
        let Some((first, rest)) = pods.split_first() else { return Ok(()) };
        let mut headers = FieldTable::default();
        also_to(&mut headers, rest);
        count::BRIDGE_MESSAGES.add(1);
        let (exchange, key) = (topology.pods(), first.as_str().into());
        self.confirmed(topology, Letter { exchange, key, message, headers }, cause).await
    }

    /// Publishes to all pods, confirmed.
    pub(super) async fn publish_to_all(
        &self,
        topology: &Topology,
        message: &[u8],
        cause: &TraceContext,
    ) -> Result<(), Failed> {
        count::BRIDGE_MESSAGES.add(1);
        let letter = Letter::to(topology.pods(), ALL.into(), message);
        self.confirmed(topology, letter, cause).await
    }

    /// Publishes to exactly one pod. Returns whether the broker has confirmed it.
    pub(super) async fn assign(
        &self,
        topology: &Topology,
        message: &[u8],
        cause: &TraceContext,
    ) -> bool {
        count::BRIDGE_MESSAGES.add(1);
        let letter = Letter::to(topology.work(), ONCE.into(), message);
        let assigned = self.confirmed(topology, letter, cause);
        matches!(timeout(ASSIGN_PATIENCE, assigned).await, Ok(Ok(())))
    }

    /// Publishes a timer message that is due after the delay.
    pub(super) async fn wait(
        &self,
        topology: &Topology,
        delay: Duration,
        message: &[u8],
        armed_by: &TraceContext,
    ) -> Result<(), Failed> {
        if !self.delays.lock().contains(&delay) {
            let declaring = topology.declare_wait(&self.never, delay);
            let declared = timeout(PATIENCE, declaring).await;
            declared.map_err(|_| Failed(format!("no queue within {PATIENCE:?}")))??;
            self.delays.lock().insert(delay);
        }
        let letter = Letter::to(ShortString::default(), topology.wait_queue(delay), message);
        count::BRIDGE_MESSAGES.add(1);
        let waits = self.confirmed(topology, letter, armed_by).await;
        if waits.is_err() {
            // The queue may have been deleted.
            self.delays.lock().remove(&delay);
        }
        waits
    }

    /// Publishes to a key without a bound queue: the broker drops and confirms the message. A broker that is out of
    /// memory or disk does not confirm it.
    async fn probe(&self, topology: &Topology) -> Result<(), Failed> {
        let letter = Letter::to(topology.pods(), PROBE.into(), &[]);
        self.confirmed(topology, letter, &TraceContext::none()).await
    }

    /// Whether it is open, even if blocked.
    fn is_open(&self, connection: &Connection) -> bool {
        let status = connection.status();
        let is_open = |channel: &Channel| channel.status().connected();
        status.connected() && is_open(&self.latest) && is_open(&self.never)
    }

    /// Publishes, and waits for the confirm.
    async fn confirmed(
        &self,
        topology: &Topology,
        mut letter: Letter<'_>,
        cause: &TraceContext,
    ) -> Result<(), Failed> {
        let span = topology.send_span(&letter.exchange, &letter.key, &[cause], 1);
        add_trace(&mut letter.headers, &TraceContext::of(&span));
        let sent = self.send(topology, letter).instrument(span.clone()).await;
        if sent.is_err() {
            mark_failed(&span, "unconfirmed");
        }
        sent
    }

    async fn send(&self, topology: &Topology, letter: Letter<'_>) -> Result<(), Failed> {
        // Work must reach a queue; the queue of a pod may be gone.
        let mandatory = letter.exchange != topology.pods();
        let Letter { exchange, key, message, headers } = letter;
        let properties =
            BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers);
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let published = async {
            let confirm = self.never.basic_publish(exchange, key, options, message, properties);
            confirm.await?.await
        };
        let _waits = count::BRIDGE_UNCONFIRMED.one_more();
        match timeout(PATIENCE, published).await {
            Ok(Ok(Confirmation::Ack(None))) => Ok(()),
            Ok(Ok(Confirmation::Ack(Some(_)))) => Err(Failed("there is no such queue".into())),
            Ok(Ok(_)) => Err(Failed("the broker does not take it".into())),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Failed(format!("no confirm within {PATIENCE:?}"))),
        }
    }

    /// Publishes `size` positions to some pods, in one message, unconfirmed. Few of them are traced.
    pub(super) async fn relay(
        &self,
        topology: &Topology,
        pods: &[PodName],
        message: &[u8],
        (size, traced): (usize, &[&TraceContext]),
    ) {
        let Some((first, rest)) = pods.split_first() else { return };
        let (options, mut properties) =
            (BasicPublishOptions::default(), BasicProperties::default());
        let (exchange, key) = (topology.pods(), ShortString::from(first.as_str()));
        let span = topology.send_span(&exchange, &key, traced, size);
        if !rest.is_empty() || !span.is_none() {
            let mut headers = FieldTable::default();
            also_to(&mut headers, rest);
            add_trace(&mut headers, &TraceContext::of(&span));
            properties = properties.with_headers(headers);
        }
        count::BRIDGE_MESSAGES.add(1);
        let published = self.latest.basic_publish(exchange, key, options, message, properties);
        // A broker that blocks publishers must not delay the next batch for long.
        let published = timeout(PATIENCE, published).instrument(span.clone()).await;
        if !matches!(published, Ok(Ok(_))) {
            mark_failed(&span, "blocked");
            count::BRIDGE_DROPPED.add(1);
        }
    }
}

/// A message and its destination.
struct Letter<'a> {
    exchange: ShortString,
    key: ShortString,
    message: &'a [u8],
    headers: FieldTable,
}

impl<'a> Letter<'a> {
    fn to(exchange: ShortString, key: ShortString, message: &'a [u8]) -> Self {
        Self { exchange, key, message, headers: FieldTable::default() }
    }
}

/// Adds recipients of the same message (RabbitMQ, "Sender-selected Distribution").
fn also_to(headers: &mut FieldTable, pods: &[PodName]) {
    if !pods.is_empty() {
        let names: Vec<_> =
            pods.iter().map(|pod| AMQPValue::LongString(pod.as_str().into())).collect();
        headers.insert("CC".into(), AMQPValue::FieldArray(names.into()));
    }
}

/// Adds the sending span, for the receivers.
fn add_trace(headers: &mut FieldTable, sent: &TraceContext) {
    if let Some(trace) = sent.to_traceparent() {
        headers.insert("traceparent".into(), AMQPValue::LongString(trace.into()));
    }
}

/// Connects, reconnects after a loss, and consumes.
pub(super) async fn stay_connected(bridge: Arc<Bridge>, pod: Arc<Pod>) {
    let place = bridge.topology.place();
    let (mut pause, mut said) = (PAUSES.0, String::new());
    for epoch in 0.. {
        let opened = timeout(OPEN_PATIENCE, open(&bridge, epoch)).await;
        let opened = opened
            .unwrap_or_else(|_| Err(Failed(format!("no connection within {OPEN_PATIENCE:?}"))));
        let error = match opened {
            Ok(Opened { publishing, link, consumers, _consuming }) => {
                tracing::info!("RabbitMQ at {place} is there");
                (pause, said) = (PAUSES.0, String::new());
                let link = Arc::new(link);
                let ended = tokio::select! {
                    ended = consume(&bridge, &pod, consumers) => ended,
                    ended = watch(&bridge, &pod, &link, &publishing) => ended,
                };
                bridge.link.send_replace(None);
                ended
            }
            Err(error) => error,
        };
        count::BRIDGE_RECONNECTS.add(1);
        // Logged once per outage and cause: an outage may last for hours.
        let error = error.to_string();
        if error != said {
            tracing::warn!("waiting for RabbitMQ at {place}: {error}");
            said = error;
        }
        // Jitter, so that not all pods reconnect at once.
        sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Catches up on what could not be received while there was no connection.
async fn catch_up(pod: Arc<Pod>) {
    let catching_up = async {
        pulse::resync(&pod).await;
        pulse::close_logged_out(&pod).await;
    };
    pod.stop.run_until_cancelled(catching_up).await;
}

/// Offers the link to publishers while the broker accepts messages. A broker that is out of memory or disk blocks
/// publishers, or stops reading: then the link is withdrawn, but the connection is kept, since a blocked one cannot
/// even be closed. Ends when the connection or a channel does.
async fn watch(
    bridge: &Bridge,
    pod: &Arc<Pod>,
    link: &Arc<Link>,
    publishing: &Connection,
) -> Failed {
    while link.is_open(publishing) {
        // While the connection is blocked, no probe is queued on it.
        let works = !publishing.status().blocked() && link.probe(&bridge.topology).await.is_ok();
        if works != bridge.is_there() {
            bridge.link.send_replace(works.then(|| link.clone()));
            pod.services.look().await;
            if works {
                pod.tasks.spawn(catch_up(pod.clone()));
            }
        }
        sleep(LOOK).await;
    }
    Failed("nothing can be published".into())
}

struct Opened {
    /// A connection of its own, since a blocked one cannot ack either.
    publishing: Connection,
    link: Link,
    consumers: Consumers,
    _consuming: Connection,
}

async fn open(bridge: &Bridge, epoch: u64) -> Result<Opened, Failed> {
    let topology = &bridge.topology;
    let connect = async |what: &str| {
        let name = format!("typephoon-api {} ({what})", bridge.live.pod());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        Connection::connect_uri(topology.uri.clone(), properties).await
    };
    let (publishing, consuming) = (connect("publishes").await?, connect("consumes").await?);
    let latest = publishing.create_channel().await?;
    let never = publishing.create_channel().await?;
    never.confirm_select(ConfirmSelectOptions::default()).await?;
    let (incoming, work) = (consuming.create_channel().await?, consuming.create_channel().await?);
    work.basic_qos(topology.prefetch, BasicQosOptions::default()).await?;
    let queue = topology.declare(&incoming, epoch).await?;
    let consumers = Consumers {
        // Auto-ack: what is lost with a pod was for that pod only.
        pods: consumer(&incoming, queue, true).await?,
        once: consumer(&work, topology.work_queue(ONCE), false).await?,
        timers: consumer(&work, topology.work_queue(TIMERS), false).await?,
        work,
    };
    let link = Link { latest, never, delays: Mutex::default() };
    Ok(Opened { publishing, link, consumers, _consuming: consuming })
}
