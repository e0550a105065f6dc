//! Our way without the players: as many messages as the pods have sent, as large, at the same rate, each to all
//! other pods at once. Like the other way it has the broker to itself, so that both are compared under the same
//! conditions: beside a thousand players on the same cores a broker takes longer for the same work.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, ExchangeDeleteOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};

use crate::broker::{self, Cost};
use crate::{Outcome, race};

/// A position, as it stands in a message.
const POSITION: &[u8] = br#"{"e":"player.moved","at":1795590000000000,"b":{"game":35,"user":"guest-88cb3e52139c4b9490a801b68c522192","word_index":1,"char_index":2}},"#;

/// What each pod sends.
#[derive(Clone, Copy)]
pub struct Batches {
    /// In a second.
    pub messages: f64,
    /// In each of them.
    pub positions: f64,
}

/// A pod's connections, as far as positions go: it publishes by one and consumes by the other.
struct Pod {
    publishes: Channel,
    queue: String,
    _connections: [Connection; 2],
}

impl Pod {
    async fn open(exchange: &str, number: usize) -> Outcome<Self> {
        let url = broker::url();
        let connect = || Connection::connect(&url, ConnectionProperties::default());
        let connections = [connect().await?, connect().await?];
        let publishes = connections[0].create_channel().await?;
        let consumes = connections[1].create_channel().await?;
        let (none, queue) = (FieldTable::default, format!("{exchange}.{number}"));
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        consumes.exchange_declare(exchange.into(), ExchangeKind::Direct, durable, none()).await?;
        let name = || queue.as_str().into();
        let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
        consumes.queue_declare(name(), own, none()).await?;
        let options = QueueBindOptions::default();
        consumes.queue_bind(name(), exchange.into(), name(), options, none()).await?;
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let mut consumer = consumes.basic_consume(name(), "".into(), options, none()).await?;
        tokio::spawn(async move { while consumer.next().await.is_some_and(|it| it.is_ok()) {} });
        Ok(Self { publishes, queue, _connections: connections })
    }
}

/// What it takes of the broker, if the messages hold so many keystrokes in a second.
pub async fn cost(pods: usize, batches: Batches, keystrokes: f64, span: Duration) -> Outcome<Cost> {
    let exchange = format!("bench.{:08x}", rand::random::<u32>());
    let mut connected = Vec::new();
    for number in 0..pods {
        connected.push(Pod::open(&exchange, number).await?);
    }
    let idle = broker::idle().await?;
    let before = broker::cpu()?;
    let start = Instant::now();
    let mut publishers = JoinSet::new();
    for (number, pod) in connected.iter().enumerate() {
        let others = connected.iter().map(|it| &it.queue).filter(|it| **it != pod.queue);
        publishers.spawn(publish(
            pod.publishes.clone(),
            exchange.clone(),
            others.cloned().collect(),
            batches,
            (start + race::phase(number, 1), start + span),
        ));
    }
    while let Some(published) = publishers.join_next().await {
        published??;
    }
    let (took, busy) = (start.elapsed(), broker::cpu()? - before);
    let options = ExchangeDeleteOptions::default();
    connected[0].publishes.exchange_delete(exchange.as_str().into(), options).await?;
    Ok(Cost { idle, busy, keystrokes: (keystrokes * took.as_secs_f64()) as u64, span: took })
}

/// A pod's messages, to one of the others and, by the CC header, the rest.
async fn publish(
    channel: Channel,
    exchange: String,
    others: Vec<String>,
    batches: Batches,
    (first, end): (Instant, Instant),
) -> Result<(), lapin::Error> {
    let body = POSITION.repeat(batches.positions.round() as usize);
    let mut times = interval_at(first, Duration::from_secs_f64(1.0 / batches.messages));
    let (to, rest) = others.split_first().expect("another pod");
    let mut headers = FieldTable::default();
    if !rest.is_empty() {
        let rest: Vec<_> =
            rest.iter().map(|it| AMQPValue::LongString(it.as_str().into())).collect();
        headers.insert("CC".into(), AMQPValue::FieldArray(rest.into()));
    }
    while times.tick().await < end {
        let properties = BasicProperties::default().with_headers(headers.clone());
        let (name, key) = (exchange.as_str().into(), to.as_str().into());
        channel.basic_publish(name, key, BasicPublishOptions::default(), &body, properties).await?;
    }
    Ok(())
}
