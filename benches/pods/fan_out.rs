//! The other way: every keystroke by itself, confirmed and persistent, to a fan-out exchange with a queue
//! per pod.

use futures_util::{StreamExt, stream};
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties, ExchangeKind};

use crate::{Outcome, broker};

const KEYSTROKES: usize = 5_000;
/// Keystrokes under way at once: those of many players.
const AT_ONCE: usize = 50;
const BODY: &[u8] = br#"{"game_id":35,"user_id":"guest-88cb3e52139c4b9490a801b68c522192","word_index":1,"char_index":2,"server":"pod-1"}"#;

/// CPU milliseconds of the broker per thousand keystrokes.
pub async fn cpu_per_thousand(pods: usize) -> Outcome<f64> {
    let connection = Connection::connect(&broker::url(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let exchange = format!("bench.{:08x}", rand::random::<u32>());
    let (durable, none) =
        (QueueDeclareOptions { durable: true, ..Default::default() }, FieldTable::default);
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel
        .exchange_declare(exchange.as_str().into(), ExchangeKind::Fanout, options, none())
        .await?;
    let mut consumers = Vec::new();
    for pod in 0..pods {
        let queue = format!("{exchange}.{pod}");
        channel.queue_declare(queue.as_str().into(), durable, none()).await?;
        let bind = QueueBindOptions::default();
        channel
            .queue_bind(queue.as_str().into(), exchange.as_str().into(), "".into(), bind, none())
            .await?;
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let consumer =
            channel.basic_consume(queue.as_str().into(), "".into(), options, none()).await?;
        consumers.push(tokio::spawn(consumer.take(KEYSTROKES).count()));
    }
    let before = broker::cpu()?;
    let publish = |_| async {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let confirm =
            channel.basic_publish(exchange.as_str().into(), "".into(), options, BODY, properties);
        confirm.await?.await.map(drop)
    };
    let published = stream::iter(0..KEYSTROKES).map(publish).buffer_unordered(AT_ONCE);
    let published: Vec<Result<(), lapin::Error>> = published.collect().await;
    published.into_iter().collect::<Result<Vec<()>, _>>()?;
    for consumer in consumers {
        consumer.await?;
    }
    let cost = broker::cpu()? - before;
    for pod in 0..pods {
        let queue = format!("{exchange}.{pod}");
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
    }
    channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await?;
    Ok(cost.as_secs_f64() * 1000.0 * 1000.0 / KEYSTROKES as f64)
}
