//! One connection to the broker: what is published over it, what it consumes, and how it is built anew.
//!
//! lapin's own recovery is not used: after a restart of the broker it leaves consumers deaf (amqp-rs/lapin
//! issue 450). Here a loss of whatever part ends the whole connection, and the next one begins afresh.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions,
};

use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{
    Acker, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer,
};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::topology::{ALL, ONCE, TIMERS, Topology};
use super::{Bridge, inbound, pulse};
use crate::bus::Receipt;
use crate::game::PodName;
use crate::health;
use crate::module::Parts;
use crate::telemetry::count;

/// How long it may take to have a message confirmed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to connect, and to declare everything.
const OPEN_PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether what is published can arrive.
const LOOK: Duration = Duration::from_secs(1);
/// The key of messages that are published to see whether the broker takes them.
const PROBE: &str = "probe";
/// How long an event of reach `Once` may wait to be taken; then whoever publishes it handles it.
const ASSIGN_PATIENCE: Duration = Duration::from_secs(2);
/// The shortest and the longest pause between two tries to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// A channel is closed because it is not needed any more (AMQP 0-9-1).
const REPLY_SUCCESS: u16 = 200;
/// Kept on disk (AMQP 0-9-1, delivery mode 2).
const PERSISTENT: u8 = 2;

/// What went wrong, in words for the log.
#[derive(Debug)]
pub(super) struct Failed(String);

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
    /// To some pods, in one message, confirmed.
    pub(super) async fn publish(
        &self,
        topology: &Topology,
        pods: &[PodName],
        message: &[u8],
        trace: Option<String>,
    ) -> Result<(), Failed> {
        let Some((first, rest)) = pods.split_first() else { return Ok(()) };
        let mut headers = headers(trace);
        also_to(&mut headers, rest);
        count::BRIDGE_MESSAGES.add(1);
        self.confirmed(topology.pods(), first.as_str().into(), message, headers, false).await
    }

    /// To all pods, confirmed.
    pub(super) async fn publish_to_all(
        &self,
        topology: &Topology,
        message: &[u8],
        trace: Option<String>,
    ) -> Result<(), Failed> {
        count::BRIDGE_MESSAGES.add(1);
        self.confirmed(topology.pods(), ALL.into(), message, headers(trace), false).await
    }

    /// To exactly one pod. Returns whether the broker has it.
    pub(super) async fn assign(
        &self,
        topology: &Topology,
        message: &[u8],
        trace: Option<String>,
    ) -> bool {
        let headers = headers(trace);
        count::BRIDGE_MESSAGES.add(1);
        let assigned = self.confirmed(topology.work(), ONCE.into(), message, headers, true);
        matches!(timeout(ASSIGN_PATIENCE, assigned).await, Ok(Ok(())))
    }

    /// To the timers, after the delay.
    pub(super) async fn wait(
        &self,
        topology: &Topology,
        delay: Duration,
        message: &[u8],
    ) -> Result<(), Failed> {
        if !self.delays.lock().contains(&delay) {
            let declaring = topology.declare_wait(&self.never, delay);
            let declared = timeout(PATIENCE, declaring).await;
            declared.map_err(|_| Failed(format!("no queue within {PATIENCE:?}")))??;
            self.delays.lock().insert(delay);
        }
        let queue = topology.wait_queue(delay);
        let headers = FieldTable::default();
        count::BRIDGE_MESSAGES.add(1);
        let waits = self.confirmed(ShortString::default(), queue, message, headers, true).await;
        if waits.is_err() {
            // Somebody may have deleted the queue.
            self.delays.lock().remove(&delay);
        }
        waits
    }

    /// Publishes to a key that no queue is bound to: the broker drops it, and confirms that it took it. One that is
    /// out of memory or disk does not.
    async fn probe(&self, topology: &Topology) -> Result<(), Failed> {
        let (key, headers) = (PROBE.into(), FieldTable::default());
        self.confirmed(topology.pods(), key, &[], headers, false).await
    }

    /// Whether it is open, be it blocked or not.
    fn is_open(&self, connection: &Connection) -> bool {
        let status = connection.status();
        let is_open = |channel: &Channel| channel.status().connected();
        status.connected() && is_open(&self.latest) && is_open(&self.never)
    }

    /// Publishes, and waits until the broker has it. With `mandatory` it has to reach a queue; the queue of a
    /// pod may be gone.
    async fn confirmed(
        &self,
        exchange: ShortString,
        key: ShortString,
        message: &[u8],
        headers: FieldTable,
        mandatory: bool,
    ) -> Result<(), Failed> {
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

    /// Positions to some pods, in one message. Whether they arrive nobody asks.
    pub(super) async fn relay(&self, topology: &Topology, pods: &[PodName], message: &[u8]) {
        let Some((first, rest)) = pods.split_first() else { return };
        let (options, mut properties) =
            (BasicPublishOptions::default(), BasicProperties::default());
        if !rest.is_empty() {
            let mut headers = FieldTable::default();
            also_to(&mut headers, rest);
            properties = properties.with_headers(headers);
        }
        let key = first.as_str().into();
        count::BRIDGE_MESSAGES.add(1);
        let published =
            self.latest.basic_publish(topology.pods(), key, options, message, properties);
        // A broker that blocks publishers must not hold up the next batch for long.
        if !matches!(timeout(PATIENCE, published).await, Ok(Ok(_))) {
            count::BRIDGE_DROPPED.add(1);
        }
    }
}

/// More recipients of the same message (RabbitMQ, "Sender-selected Distribution").
fn also_to(headers: &mut FieldTable, pods: &[PodName]) {
    if !pods.is_empty() {
        let names: Vec<_> =
            pods.iter().map(|pod| AMQPValue::LongString(pod.as_str().into())).collect();
        headers.insert("CC".into(), AMQPValue::FieldArray(names.into()));
    }
}

fn headers(trace: Option<String>) -> FieldTable {
    let mut headers = FieldTable::default();
    if let Some(trace) = trace {
        headers.insert("traceparent".into(), AMQPValue::LongString(trace.into()));
    }
    headers
}

/// The consuming half.
struct Consumers {
    pods: Consumer,
    once: Consumer,
    timers: Consumer,
    /// Of the last two: closed when the server stops, so that other pods get what is not done.
    work: Channel,
}

/// Connects, again and again, and takes what comes.
pub(super) async fn keep(bridge: Arc<Bridge>, parts: Arc<Parts>) {
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
                    ended = consume(&bridge, &parts, consumers) => ended,
                    ended = watch(&bridge, &parts, &link, &publishing) => ended,
                };
                bridge.link.send_replace(None);
                ended
            }
            Err(error) => error,
        };
        count::BRIDGE_RECONNECTS.add(1);
        // Once per outage and cause: it may last for hours.
        let error = error.to_string();
        if error != said {
            tracing::warn!("waiting for RabbitMQ at {place}: {error}");
            said = error;
        }
        // Not all pods at once.
        sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// What could not be told while there was no connection.
async fn catch_up(parts: Arc<Parts>) {
    let catching_up = async {
        pulse::resync(&parts).await;
        pulse::close_logged_out(&parts).await;
    };
    parts.stop.run_until_cancelled(catching_up).await;
}

/// Gives the link to publishers as long as the broker takes what is published. A broker that is out of memory or disk
/// blocks publishers, or just stops to read: then the link is taken away, and the connection kept until it is over,
/// since a blocked one cannot even be closed. Ends when the connection or a channel does.
async fn watch(
    bridge: &Bridge,
    parts: &Arc<Parts>,
    link: &Arc<Link>,
    publishing: &Connection,
) -> Failed {
    while link.is_open(publishing) {
        // While it is blocked nothing more is put into its queue.
        let works = !publishing.status().blocked() && link.probe(&bridge.topology).await.is_ok();
        if works != bridge.is_there() {
            bridge.link.send_replace(works.then(|| link.clone()));
            health::look(parts).await;
            if works {
                parts.tasks.spawn(catch_up(parts.clone()));
            }
        }
        sleep(LOOK).await;
    }
    Failed("nothing can be published".into())
}

struct Opened {
    /// Of its own: one that is blocked cannot acknowledge either.
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
        // What is lost with a pod was for that pod alone.
        pods: consumer(&incoming, queue, true).await?,
        once: consumer(&work, topology.work_queue(ONCE), false).await?,
        timers: consumer(&work, topology.work_queue(TIMERS), false).await?,
        work,
    };
    let link = Link { latest, never, delays: Mutex::default() };
    Ok(Opened { publishing, link, consumers, _consuming: consuming })
}

async fn consumer(
    channel: &Channel,
    queue: ShortString,
    no_ack: bool,
) -> Result<Consumer, lapin::Error> {
    let options = BasicConsumeOptions { no_ack, ..BasicConsumeOptions::default() };
    channel.basic_consume(queue, ShortString::default(), options, FieldTable::default()).await
}

async fn acknowledge(acker: &Acker) -> Result<(), Failed> {
    let acknowledged = timeout(PATIENCE, acker.ack(BasicAckOptions::default())).await;
    acknowledged.map_err(|_| Failed("the broker takes no acknowledgement".into()))??;
    Ok(())
}

/// Takes what comes, until something ends. An event that one pod alone has to handle is acknowledged when it
/// is handled: a pod that dies before leaves it to another. A timer is at once: the agenda keeps it.
async fn consume(bridge: &Arc<Bridge>, parts: &Arc<Parts>, mut from: Consumers) -> Failed {
    // As many as may be unacknowledged.
    let (handled, mut to_acknowledge) = mpsc::channel(usize::from(bridge.topology.prefetch) * 2);
    let mut takes_work = true;
    loop {
        let (delivery, is_work) = tokio::select! {
            delivery = from.pods.next() => (delivery, false),
            delivery = from.once.next(), if takes_work => (delivery, true),
            delivery = from.timers.next(), if takes_work => (delivery, true),
            acker = to_acknowledge.recv(), if takes_work => {
                let acker: Option<Acker> = acker;
                if let Some(acker) = acker
                    && let Err(error) = acknowledge(&acker).await
                {
                    return error;
                }
                continue;
            }
            () = parts.stop.cancelled(), if takes_work => {
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
        let trace = delivery.properties.headers().as_ref().and_then(|headers| {
            let AMQPValue::LongString(trace) = headers.inner().get("traceparent")? else {
                return None;
            };
            Some(String::from_utf8_lossy(trace.as_bytes()).into_owned())
        });
        let receipt = is_work.then(|| {
            let (handled, acker) = (handled.clone(), delivery.acker.clone());
            Receipt::new(move || {
                // No room, or nobody who listens any more: then it comes again.
                let _ = handled.try_send(acker);
            })
        });
        inbound::take(bridge, parts, &delivery.data, trace.as_deref(), receipt);
    }
}
