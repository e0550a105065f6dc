//! RabbitMQ stopped, and a pod that is cut off from it.

use std::time::{Duration, Instant};

use crate::device::Device;
use crate::fleet::Fleet;
use crate::page::{Moment, Pages, all_started_once};
use crate::persona::{Player, QUEUE_IN};
use crate::proxy::Way;
use crate::server::time_passes;
use crate::site::ANONYMOUS;

#[tokio::test]
async fn a_broker_stopped_in_the_countdown_delays_no_player_for_long() {
    let plan = Fleet::of(3).set("game.player_limit", 3).set("game.start_countdown", 3);
    let Some(mut fleet) = plan.start().await else { return };
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Countdown).await;
    let counting = Instant::now();
    let stopping = fleet.rabbitmq.stop();
    tokio::join!(stopping, pages.reach(Moment::Racing));
    let took = counting.elapsed();
    assert!(took < Duration::from_secs(3 + 4), "START came {took:?} after GAME_START");
    fleet.rabbitmq.restart().await;
    fleet.is_ready().await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}

#[tokio::test]
async fn a_broker_killed_and_started_in_mid_race_is_not_noticed_by_any_player() {
    let Some(mut fleet) = Fleet::of(3).set("game.player_limit", 3).start().await else { return };
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Racing).await;
    fleet.rabbitmq.kill();
    for pod in 0..3 {
        fleet.readiness(pod, 500).await;
    }
    fleet.rabbitmq.restart().await;
    fleet.is_ready().await;
    let stories = pages.end().await;
    assert!(stories.iter().all(|story| story.closed.is_empty()), "{stories:?}");
    all_started_once(&stories);
    fleet.is_whole(&stories).await;

    // And what was built anew works: positions reach the other pod, and timers come.
    let mut anna = Player::guest(&fleet.site(0)).await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    let _cleo = Player::guest(&fleet.site(2)).await;
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    anna.hears("START").await;
    ben.hears("START").await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
}

#[tokio::test]
async fn a_broker_away_during_a_whole_lobby_delays_the_race_by_two_seconds_at_most() {
    let plan = Fleet::of(2).set("game.player_limit", 9).set("game.lobby_countdown", 6);
    let Some(mut fleet) = plan.set("game.start_countdown", 1).start().await else { return };
    let came = Instant::now();
    let mut anna = Player::guest(&fleet.site(0)).await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    assert_eq!(ben.game, anna.game);
    // A pod that has noticed the loss would refuse the socket.
    anna.turns_to(&fleet.site(1));
    anna.queues_in("").await;
    assert_eq!(ben.game, anna.game);
    fleet.rabbitmq.kill();
    // The messages that are due have gone with it: only the agenda has the deadline.
    fleet.pods[0].kill().await;
    anna.lobby.until("GAME_START").await;
    let took = came.elapsed();
    assert!(took < Duration::from_secs(6 + 3), "GAME_START came after {took:?}");
    ben.lobby.until("GAME_START").await;
    for player in [&mut anna, &mut ben] {
        player.race().await;
    }
    for player in [&mut anna, &mut ben] {
        player.hears("START").await;
    }
    let took = came.elapsed();
    assert!(took < Duration::from_secs(6 + 1 + 5), "START came after {took:?}");
    anna.finishes(60.0).await;
    ben.finishes(50.0).await;
}

/// A race of two on the first pod, which then loses its broker in some way.
async fn loses_its_broker(how: Way) {
    let plan = Fleet::of(2).set("game.player_limit", 2).with_a_way_to_the_broker();
    let Some(fleet) = plan.start().await else { return };
    let mut players = [Player::guest(&fleet.site(0)).await, Player::guest(&fleet.site(0)).await];
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut players {
        player.hears("START").await;
    }
    let mut waiting = Player::guest(&fleet.site(0)).await;

    fleet.way().is(how);
    let answer = fleet.readiness(0, 500).await;
    answer.refused(500, "UNKNOWN_ERROR");
    assert!(answer.text.contains("the broker since 20"), "which, and since when: {answer:?}");
    fleet.site(0).handshake(QUEUE_IN, ANONYMOUS).await.refused(503, "SERVICE_UNAVAILABLE");
    fleet.readiness(1, 200).await;
    let [anna, ben] = &mut players;
    anna.types(1, 0).await;
    ben.sees(anna, 1, 0).await;
    anna.finishes(60.0).await;
    ben.finishes(50.0).await;

    // Who waits there plays with who comes to the other pod.
    let mut dora = Player::guest(&fleet.site(1)).await;
    assert_eq!(dora.game, waiting.game);
    let joined = Instant::now();
    for player in [&mut dora, &mut waiting] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in [&mut dora, &mut waiting] {
        player.hears("START").await;
    }
    let took = joined.elapsed();
    assert!(took < Duration::from_secs(10), "START came {took:?} after the last had joined");
    fleet.way().is(Way::Open);
    fleet.readiness(0, 200).await;
    // The pods know of each other again: at once, or with the next word among them.
    time_passes(Duration::from_secs(1)).await;
    waiting.types(1, 0).await;
    dora.sees(&waiting, 1, 0).await;
    dora.finishes(60.0).await;
    waiting.finishes(50.0).await;
}

#[tokio::test]
async fn a_pod_cut_off_from_the_broker_takes_no_new_players_and_lets_its_own_finish() {
    loses_its_broker(Way::Cut).await;
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_noticed_by_its_heartbeat() {
    loses_its_broker(Way::Silent).await;
}

#[tokio::test]
async fn a_player_who_logs_out_while_a_pod_is_cut_off_loses_the_sockets_there_when_it_is_back() {
    let plan = Fleet::of(2).set("auth.local", true).with_a_way_to_the_broker();
    let Some(fleet) = plan.start().await else { return };
    let phone = Device::of_new_account(&fleet.site(0), "Anna").await;
    let laptop = Device::logged_in(&fleet.site(0), "Anna").await;
    let mut on_phone = Player::known(&fleet.site(0), phone.access.clone()).await;
    let mut on_laptop = Player::known(&fleet.site(0), laptop.access.clone()).await;
    fleet.way().is(Way::Cut);
    fleet.readiness(0, 500).await;
    phone.logs_out(&fleet.site(1)).await.ok();
    fleet.way().is(Way::Open);
    fleet.readiness(0, 200).await;
    assert_eq!(on_phone.lobby.closed().await, 4502);
    on_laptop.lobby.is_alive().await;
}
