//! Pods that are killed, stopped and started again.

use std::time::{Duration, Instant};

use crate::fleet::{Fleet, PATIENCE};
use crate::nginx::Nginx;
use crate::page::{Moment, Pages, all_started_once};
use crate::persona::Player;
use crate::server::{time_passes, within};
use crate::socket::Heard;

/// Two races of three, on three pods.
async fn three_pods() -> Option<Fleet> {
    Fleet::of(3).set("game.player_limit", 3).start().await
}

#[tokio::test]
async fn a_pod_killed_in_the_lobby_costs_those_who_do_not_come_back_their_seats() {
    let lobby = Fleet::of(3).set("game.player_limit", 4).set("game.lobby_countdown", 20);
    let Some(mut fleet) = lobby.start().await else { return };
    let mut anna = Player::guest(&fleet.site(0)).await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    let mut cleo = Player::guest(&fleet.site(1)).await;
    assert_eq!((ben.game, cleo.game), (anna.game, anna.game));
    fleet.pods[1].kill().await;
    let killed = Instant::now();
    ben.lobby.ended().await;
    cleo.lobby.ended().await;
    ben.turns_to(&fleet.site(2));
    ben.queues_in("").await;
    assert_eq!(ben.game, anna.game, "the seat is kept");

    let left = anna.lobby.until("USER_LEFT").await.pop().expect("a frame");
    assert_eq!(left["user_id"].as_str().unwrap_or(&cleo.id), cleo.id);
    let took = killed.elapsed();
    assert!(took.as_secs() < 12, "{took:?}");
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in [&mut anna, &mut ben] {
        player.hears("START").await;
        player.finishes(60.0).await;
    }
    assert_eq!(anna.ranking().await.len(), 2, "Cleo has no part in it");
}

#[tokio::test]
async fn a_pod_stopped_in_the_lobby_costs_those_who_do_not_come_back_their_seats_at_once() {
    let lobby = Fleet::of(2).set("game.player_limit", 3).set("game.lobby_countdown", 20);
    let Some(mut fleet) = lobby.start().await else { return };
    let mut anna = Player::guest(&fleet.site(0)).await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    assert_eq!(ben.game, anna.game);
    fleet.pods[1].ask_to_end();
    assert_eq!(ben.lobby.closed().await, 1012);
    let closed = Instant::now();
    anna.lobby.until("USER_LEFT").await;
    assert!(closed.elapsed().as_secs() < 5, "{:?}", closed.elapsed());
    assert!(fleet.pods[1].ended().await.success());
}

#[tokio::test]
async fn a_pod_killed_in_the_countdown_costs_a_reconnect() {
    let Some(mut fleet) = three_pods().await else { return };
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Countdown).await;
    fleet.pods[0].kill().await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}

#[tokio::test]
async fn a_pod_killed_in_mid_race_costs_a_reconnect() {
    let Some(mut fleet) = three_pods().await else { return };
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Racing).await;
    fleet.pods[1].kill().await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}

#[tokio::test]
async fn a_pod_killed_while_results_come_in_loses_none() {
    let Some(mut fleet) = three_pods().await else { return };
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Racing).await;
    pages.may_finish();
    pages.first_reaches(Moment::Finished).await;
    fleet.pods[2].kill().await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}

#[tokio::test]
async fn all_pods_are_restarted_in_turn_while_500_players_race_and_no_request_fails() {
    const PLAYERS: usize = 500;
    let plan = Fleet::of(3).set("game.player_limit", 5).set("game.lobby_countdown", 30);
    let plan = plan.set("shutdown.drain", 2).set("limits.request_timeout", 15);
    let Some(mut fleet) = plan.start().await else { return };
    let ports: Vec<u16> = fleet.pods.iter().map(|pod| pod.site().port()).collect();
    let Some(nginx) = Nginx::before(&ports).await else { return };
    let mut door = nginx.site();
    door.patience = PATIENCE;
    let mut pages = Pages::open_at(vec![door], &fleet, PLAYERS).await;
    pages.reach(Moment::Racing).await;
    for pod in 0..fleet.pods.len() {
        if pod == 2 {
            // Results come in while the last pod drains and starts.
            pages.may_finish();
        }
        assert!(fleet.pods[pod].terminate().await.success());
        fleet.pods[pod].restart().await;
    }
    let stories = pages.end().await;
    assert_eq!(stories.len(), PLAYERS);
    let reconnects: usize = stories.iter().map(|story| story.closed.len()).sum();
    assert!(reconnects >= PLAYERS / 2, "most had to come back: {reconnects}");
    let failed: Vec<_> = stories.iter().filter(|story| !story.failures.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}

#[tokio::test]
async fn a_service_that_comes_after_the_pods_is_waited_for() {
    let Some(mut fleet) = three_pods().await else { return };
    fleet.pods[0].kill().await;
    fleet.rabbitmq.stop().await;
    fleet.pods[0].restart_unready().await;
    let answer = fleet.readiness(0, 500).await;
    assert!(answer.text.contains("the broker"), "{answer:?}");
    fleet.rabbitmq.restart().await;
    fleet.is_ready().await;
    let anna = within(PATIENCE, "a player may play", async || {
        let mut lobby = fleet
            .site(0)
            .try_connect("anna", crate::persona::QUEUE_IN, crate::site::ANONYMOUS)
            .await
            .ok()?;
        matches!(lobby.hear("INIT").await, Heard::Frame(_)).then_some(lobby)
    });
    anna.await;
}

#[tokio::test]
async fn all_who_finish_while_a_master_of_a_redis_cluster_is_silent_are_ranked() {
    let plan = Fleet::of(3).set("game.player_limit", 5).on_a_redis_cluster();
    let Some(mut fleet) = plan.start().await else { return };
    let mut pages = Pages::open(&fleet, 60).await;
    pages.reach(Moment::Racing).await;
    let cluster = fleet.clustered.as_mut().expect("it was asked for");
    let games = cluster.keys(":game:").await;
    assert!(games.iter().all(|count| *count > 0), "spread over all masters: {games:?}");
    // It keeps what it has, as a machine that is cut off does.
    cluster.nodes[1].pause();
    pages.may_finish();
    // Requests are sent again after 2 s, and then both are answered.
    time_passes(Duration::from_secs(3)).await;
    cluster.nodes[1].go_on();
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}
