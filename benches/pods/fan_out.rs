//! The other way: every keystroke by itself, confirmed and persistent, to a durable fan-out exchange with a
//! durable queue per pod, whose consumer acknowledges each.
//!
//! As many sockets as there are players type at the same rate as with the pods; each waits for its confirm
//! before it goes on, all at the same time. A broker that cannot follow so gets fewer keystrokes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::broker::{self, Cost};
use crate::{Outcome, race};

/// `amqp.prefetch_count`, as it is by default.
const PREFETCH: u16 = 50;
/// The name of a consumer on its channel.
const TAG: &str = "keystrokes";
/// Kept on disk (AMQP 0-9-1, delivery mode 2).
const PERSISTENT: u8 = 2;
const BODY: &[u8] = br#"{"game_id":35,"user_id":"guest-88cb3e52139c4b9490a801b68c522192","word_index":1,"char_index":2,"server":"pod-1"}"#;

/// What kind of durable queue.
#[derive(Clone, Copy)]
pub enum Queues {
    Classic,
    /// Replicated ones, though over one node here.
    Quorum,
}

impl Queues {
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "fan-out to classic queues",
            Self::Quorum => "fan-out to quorum queues",
        }
    }

    fn arguments(self) -> FieldTable {
        let mut arguments = FieldTable::default();
        if matches!(self, Self::Quorum) {
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        }
        arguments
    }
}

/// A pod's connection, as far as keystrokes go.
struct Pod {
    publishes: Channel,
    consumes: Channel,
    queue: String,
    _connection: Connection,
}

impl Pod {
    async fn open(exchange: &str, number: usize, queues: Queues) -> Outcome<Self> {
        let connection =
            Connection::connect(&broker::url(), ConnectionProperties::default()).await?;
        let publishes = connection.create_channel().await?;
        publishes.confirm_select(ConfirmSelectOptions::default()).await?;
        let none = FieldTable::default;
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let fan_out = ExchangeKind::Fanout;
        publishes.exchange_declare(exchange.into(), fan_out, durable, none()).await?;
        let consumes = connection.create_channel().await?;
        consumes.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let queue = format!("{exchange}.{number}");
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        consumes.queue_declare(queue.as_str().into(), durable, queues.arguments()).await?;
        let (name, options) = (queue.as_str().into(), QueueBindOptions::default());
        consumes.queue_bind(name, exchange.into(), "".into(), options, none()).await?;
        Ok(Self { publishes, consumes, queue, _connection: connection })
    }

    /// Acknowledges what comes, until it is cancelled.
    async fn consume(&self, tasks: &mut JoinSet<()>) -> Outcome<()> {
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let queue = self.queue.as_str().into();
        let mut consumer = self.consumes.basic_consume(queue, TAG.into(), options, none).await?;
        tasks.spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                if delivery.ack(BasicAckOptions::default()).await.is_err() {
                    return;
                }
            }
        });
        Ok(())
    }
}

/// What it takes of the broker.
pub async fn cost(
    pods: usize,
    players: usize,
    rate: u32,
    span: Duration,
    queues: Queues,
) -> Outcome<Cost> {
    let exchange: Arc<str> = format!("bench.{:08x}", rand::random::<u32>()).into();
    let mut connected = Vec::new();
    let mut consumers = JoinSet::new();
    for number in 0..pods {
        let pod = Pod::open(&exchange, number, queues).await?;
        pod.consume(&mut consumers).await?;
        connected.push(pod);
    }
    let idle = broker::idle().await?;
    let before = broker::cpu()?;
    let start = Instant::now();
    let mut typists = JoinSet::new();
    for number in 0..players {
        let channel = connected[number % pods].publishes.clone();
        let phase = race::phase(number, rate);
        typists.spawn(types(channel, exchange.clone(), start + phase, rate, start + span));
    }
    let mut keystrokes = 0;
    while let Some(typed) = typists.join_next().await {
        keystrokes += typed??;
    }
    let (took, busy) = (start.elapsed(), broker::cpu()? - before);
    for pod in &connected {
        pod.consumes.basic_cancel(TAG.into(), BasicCancelOptions::default()).await?;
    }
    while consumers.join_next().await.is_some() {}
    for pod in &connected {
        let queue = pod.queue.as_str().into();
        pod.publishes.queue_delete(queue, QueueDeleteOptions::default()).await?;
    }
    let exchange = (&*exchange).into();
    connected[0].publishes.exchange_delete(exchange, ExchangeDeleteOptions::default()).await?;
    Ok(Cost { idle, busy, keystrokes, span: took })
}

/// A player's keystrokes, one confirmed after the other.
async fn types(
    channel: Channel,
    exchange: Arc<str>,
    first: Instant,
    rate: u32,
    end: Instant,
) -> Result<u64, lapin::Error> {
    let mut keys = interval_at(first, Duration::from_secs(1) / rate);
    keys.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut typed = 0;
    while keys.tick().await < end {
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let (name, options) = ((&*exchange).into(), BasicPublishOptions::default());
        channel.basic_publish(name, "".into(), options, BODY, properties).await?.await?;
        typed += 1;
    }
    Ok(typed)
}
