//! Messages that come twice, late and out of order.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};

use crate::fleet::Fleet;
use crate::page::{Moment, Pages, all_started_once};
use crate::persona::Player;
use crate::rabbitmq::Rabbitmq;
use crate::server::time_passes;

/// Where a message went: exchange, routing key, and the message.
type Copy = (String, String, Vec<u8>);

/// Overhears what pods send to each other and to the timers.
struct Spy {
    channel: Channel,
    heard: tokio::task::JoinHandle<Vec<Copy>>,
    _connection: lapin::Connection,
}

impl Spy {
    async fn among(rabbitmq: &Rabbitmq, keys: &[&str]) -> Self {
        let connection = rabbitmq.connect().await;
        let channel = connection.create_channel().await.expect("a channel");
        let own = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        let queue =
            channel.queue_declare("".into(), own, FieldTable::default()).await.expect("a queue");
        let queue = queue.name().clone();
        let work = [("typephoon.work", "once.v1"), ("typephoon.work", "timers.v1")];
        let pods = keys.iter().map(|key| ("typephoon.pods", *key));
        for (exchange, key) in pods.chain(work) {
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            let bound =
                channel.queue_bind(queue.clone(), exchange.into(), key.into(), options, none);
            bound.await.expect("a binding");
        }
        let options = BasicConsumeOptions::default();
        let consumer =
            channel.basic_consume(queue, "spy".into(), options, FieldTable::default()).await;
        let mut consumer = consumer.expect("a consumer");
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            while let Some(Ok(delivery)) = consumer.next().await {
                let (exchange, key) =
                    (delivery.exchange.to_string(), delivery.routing_key.to_string());
                heard.push((exchange, key, delivery.data.clone()));
                delivery.acker.ack(BasicAckOptions::default()).await.expect("an open channel");
            }
            heard
        });
        Self { channel, heard, _connection: connection }
    }

    /// All that was heard up to now.
    async fn tells(self) -> (Channel, Vec<Copy>) {
        self.channel
            .basic_cancel("spy".into(), lapin::options::BasicCancelOptions::default())
            .await
            .expect("an end");
        (self.channel, self.heard.await.expect("a spy that lives"))
    }
}

/// Sends copies as they were sent before.
async fn repeat<'a>(channel: &Channel, copies: impl Iterator<Item = &'a Copy>) {
    for (exchange, key, message) in copies {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let (exchange, key) = (exchange.as_str().into(), key.as_str().into());
        channel.basic_publish(exchange, key, options, message, properties).await.expect("a broker");
    }
}

/// The names under which pods are bound: what a spy has to know.
async fn names_of_pods(fleet: &Fleet) -> Vec<String> {
    let client = redis::Client::open(("127.0.0.1", fleet.redis.port())).expect("an address");
    let mut redis = client.get_multiplexed_async_connection().await.expect("Redis");
    redis::cmd("ZRANGE")
        .arg("{typephoon:lobby}:pods")
        .arg(0)
        .arg(-1)
        .query_async(&mut redis)
        .await
        .expect("pods")
}

#[tokio::test]
async fn a_message_that_comes_again_late_or_out_of_order_changes_nothing() {
    let Some(fleet) = Fleet::of(3).set("game.player_limit", 3).start().await else { return };
    let names = names_of_pods(&fleet).await;
    assert_eq!(names.len(), 3, "{names:?}");
    let mut keys: Vec<&str> = names.iter().map(String::as_str).collect();
    keys.push("all");
    let spy = Spy::among(&fleet.rabbitmq, &keys).await;
    let mut players = [
        Player::guest(&fleet.site(0)).await,
        Player::guest(&fleet.site(1)).await,
        Player::guest(&fleet.site(2)).await,
    ];
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut players {
        player.hears("START").await;
    }
    let [anna, ben, cleo] = &mut players;
    anna.finishes(60.0).await;
    let (channel, heard) = spy.tells().await;
    let texts: String =
        heard.iter().map(|(.., text)| String::from_utf8_lossy(text).into_owned()).collect();
    for event in [
        "player.joined",
        "lobby.closed",
        "race.prepared",
        "race.started",
        "lobby.countdown",
        "race.countdown",
    ] {
        assert!(texts.contains(event), "{event} was overheard: {texts}");
    }

    // Twice, and then backwards, in mid-race.
    repeat(&channel, heard.iter()).await;
    repeat(&channel, heard.iter().rev()).await;
    time_passes(Duration::from_secs(1)).await;
    for player in [&mut *anna, &mut *ben, &mut *cleo] {
        player.track().is_silent().await;
    }
    ben.finishes(50.0).await;
    cleo.finishes(40.0).await;
    repeat(&channel, heard.iter()).await;
    let ranks: BTreeSet<_> = anna.ranking().await.iter().map(|it| it["rank"].as_i64()).collect();
    assert_eq!(ranks, BTreeSet::from([Some(1), Some(2), Some(3)]));

    // While others play.
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Countdown).await;
    repeat(&channel, heard.iter().rev()).await;
    pages.reach(Moment::Racing).await;
    repeat(&channel, heard.iter()).await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
    fleet.is_ready().await;
}

#[tokio::test]
async fn a_timer_that_comes_early_or_for_a_game_that_is_gone_changes_nothing() {
    let plan = Fleet::of(2).set("game.player_limit", 2).set("game.start_countdown", 3);
    let Some(fleet) = plan.start().await else { return };
    let channel = fleet.rabbitmq.connect().await;
    let work = channel.create_channel().await.expect("a channel");
    let due = |game: i64, timer: &str| {
        let body = format!(r#"{{"Due":{{"game":{game},"timer":"{timer}"}}}}"#);
        let message =
            format!(r#"{{"v":1,"from":"spy","events":[{{"e":"bridge.talk","at":0,"b":{body}}}]}}"#);
        ("typephoon.work".to_owned(), "timers.v1".to_owned(), message.into_bytes())
    };
    let timers = |game| {
        let all = [
            "lobby.countdown",
            "lobby.absence",
            "race.preparation",
            "race.countdown",
            "game.cleanup",
            "nothing",
        ];
        all.map(|timer| due(game, timer))
    };
    let mut anna = Player::guest(&fleet.site(0)).await;
    repeat(&work, timers(anna.game).iter()).await;
    repeat(&work, timers(999_999).iter()).await;
    time_passes(Duration::from_millis(500)).await;
    anna.lobby.is_silent().await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    assert_eq!(ben.game, anna.game);
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    repeat(&work, timers(anna.game).iter()).await;
    time_passes(Duration::from_millis(500)).await;
    anna.track().is_silent().await;
    for player in [&mut anna, &mut ben] {
        player.hears("START").await;
        player.finishes(60.0).await;
    }
}
