//! What pods have at RabbitMQ, and what they do about what is there from others.

use std::time::Duration;

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ExchangeDeclareOptions, ExchangeDeleteOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, ExchangeKind};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::cluster;
use crate::process::Outcome;
use crate::server::{Server, Settings, eventually};

/// Pods, if the services are there.
async fn pods(count: usize) -> Option<Settings> {
    let settings = Server::with().set("game.player_limit", 2).on_pods(count);
    cluster::is_possible().await.then_some(settings)
}

/// Says something to every pod.
async fn say(channel: &Channel, exchange: &str, message: &str) {
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let said = channel.basic_publish(
        exchange.into(),
        "all".into(),
        options,
        message.as_bytes(),
        properties,
    );
    said.await.expect("an exchange that is there");
}

#[tokio::test]
async fn what_a_pod_of_another_version_says_is_counted_and_skipped() {
    let Some(settings) = pods(2).await else { return };
    let server = settings.start().await;
    let [mut anna, mut ben] = server.race_of().await;
    let (_connection, channel) = server.common().broker().await;
    let exchange = server.common().at_broker("pods");
    let event = json!([{"e": "chat.said", "at": 0, "b": {"text": "hello"}}]);
    say(&channel, &exchange, &json!({"v": 2, "from": "newer", "events": []}).to_string()).await;
    say(&channel, &exchange, "nonsense").await;
    say(&channel, &exchange, &json!({"v": 1, "from": "newer", "events": event}).to_string()).await;
    for pod in 0..2 {
        eventually("they are counted", async || {
            let unreadable = server.counted(pod, "typephoon_bridge_unreadable_total").await;
            let unknown = server.counted(pod, "typephoon_bridge_unknown_total").await;
            ((unreadable, unknown) == (2, 1)).then_some(())
        })
        .await;
    }
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
}

/// The queues of the pods, by what they said in the log.
fn queues(server: &Server) -> Vec<String> {
    let log = server.log();
    let names = log.split("(pod ").skip(1).filter_map(|rest| rest.split(')').next());
    names.map(|name| server.common().at_broker(&format!("pod.{name}.0"))).collect()
}

/// Whether a queue is there, as the broker tells on a channel of its own, which that may end.
async fn is_there(server: &Server, queue: &str) -> bool {
    let (_connection, channel) = server.common().broker().await;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(queue.into(), options, FieldTable::default()).await {
        Ok(_) => true,
        // RESOURCE_LOCKED: exclusive to another connection.
        Err(error) => error.to_string().contains("LOCKED"),
    }
}

#[tokio::test]
async fn the_queue_of_a_pod_goes_with_it() {
    let Some(settings) = pods(3).await else { return };
    let mut server = settings.start().await;
    let queues = queues(&server);
    assert_eq!(queues.len(), 3);
    for queue in &queues {
        assert!(is_there(&server, queue).await, "{queue}");
    }
    server.kill_pod(0);
    assert!(server.terminate_pod(1).await.success());
    for queue in &queues[..2] {
        eventually("the queue is gone", async || (!is_there(&server, queue).await).then_some(()))
            .await;
    }
    assert!(is_there(&server, &queues[2]).await);
}

#[tokio::test]
async fn timers_wait_in_a_queue_per_delay_which_goes_with_the_test() {
    let Some(settings) = pods(1).await else { return };
    let server = settings.set("game.lobby_countdown", 2).start().await;
    let mut anna = server.guest().await;
    anna.lobby.expect("GAME_START").await;
    // On a busy machine less than the whole delay is left: the timer then waits in several shorter queues.
    let queues =
        [2_000, 1_000, 500].map(|it| server.common().wait_queue(Duration::from_millis(it)));
    // The queues stay. A busy broker now and then answers INTERNAL_ERROR to the question.
    eventually("a queue is there", async || {
        for queue in &queues {
            if is_there(&server, queue).await {
                return Some(());
            }
        }
        None
    })
    .await;
}

/// Exchanges of the backend before this one, each with a queue of the same name.
const OLD: [(&str, ExchangeKind); 5] = [
    ("lobby.notify", ExchangeKind::Fanout),
    ("game.keystroke", ExchangeKind::Fanout),
    ("game.start", ExchangeKind::Fanout),
    ("lobby.countdown", ExchangeKind::Direct),
    ("game.cleanup", ExchangeKind::Direct),
];

#[tokio::test]
async fn what_the_old_backend_has_at_the_broker_is_left_alone() {
    let Some(settings) = pods(2).await else { return };
    let server = settings.start().await;
    let (_connection, channel) = server.common().broker().await;
    for (name, kind) in OLD {
        let declared =
            ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let none = FieldTable::default;
        channel.exchange_declare(name.into(), kind, declared, none()).await.expect("an exchange");
        let queue = QueueDeclareOptions::default();
        channel.queue_declare(name.into(), queue, none()).await.expect("a queue");
        let bound = QueueBindOptions::default();
        channel
            .queue_bind(name.into(), name.into(), "all".into(), bound, none())
            .await
            .expect("a binding");
        say(&channel, name, "old").await;
    }
    let [mut anna, mut ben] = server.race_of().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
    anna.finishes(70.0).await;

    for (name, _) in OLD {
        let options = BasicGetOptions { no_ack: true };
        let message = channel.basic_get(name.into(), options).await.expect("a queue");
        let message = message.unwrap_or_else(|| panic!("{name} has lost its message"));
        assert_eq!(message.delivery.data, b"old");
        let more = channel.basic_get(name.into(), options).await.expect("a queue");
        assert!(more.is_none(), "{name} has got more");
        let _ = channel.queue_delete(name.into(), QueueDeleteOptions::default()).await;
        let _ = channel.exchange_delete(name.into(), ExchangeDeleteOptions::default()).await;
    }
}

#[tokio::test]
async fn a_pod_that_comes_before_the_broker_waits_for_it() {
    let Some(settings) = pods(1).await else { return };
    let place = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = place.local_addr().expect("an address");
    drop(place);
    let url = format!("amqp://guest:guest@{address}/%2f");
    let comes = async |log: &crate::process::Log| {
        eventually("the pod says for what it waits", async || {
            let text = log.text();
            let waits = format!("waiting for RabbitMQ at {address}");
            let tells = "the broker cannot be used: no new players";
            (text.contains(&waits) && text.contains(tells)).then_some(())
        })
        .await;
        let broker = TcpListener::bind(address).await.expect("the port of before");
        tokio::spawn(async move {
            while let Ok((mut near, _)) = broker.accept().await {
                tokio::spawn(async move {
                    let mut far = TcpStream::connect("127.0.0.1:5672").await.expect("RabbitMQ");
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
    };
    let server = settings.set("amqp.url", url).start_while(comes).await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
}

/// It does not start, and says why in one sentence.
fn refused(outcome: &Outcome, why: &str) {
    assert!(!outcome.status.success());
    assert_eq!(outcome.stderr.trim().lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
}

#[test]
fn half_a_cluster_is_refused() {
    let broker = || Server::with().set("amqp.host", "127.0.0.1");
    refused(&broker().run(), "redis");
    refused(&broker().set("redis.host", "127.0.0.1").run(), "db");
    refused(&broker().set("db.host", "127.0.0.1").run(), "redis");
    let all = broker().set("redis.host", "127.0.0.1").set("db.host", "127.0.0.1");
    let without_keys = all.unset("token.private_key").unset("token.public_key");
    refused(&without_keys.run(), "token.private_key");
}
