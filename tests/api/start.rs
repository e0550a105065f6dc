//! START: when it comes, and that it comes to each player exactly once, since the page sets its clock by it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{Server, time_passes};
use crate::site::ANONYMOUS;
use crate::socket::Heard;

#[tokio::test]
async fn the_track_is_silent_until_start_which_comes_to_all_when_the_countdown_is_over() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 1).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    let started = Instant::now();
    anna.race().await;
    ben.race().await;
    anna.track().is_silent().await;
    ben.track().is_silent().await;

    assert_eq!(anna.hears("START").await, json!({"event": "START", "game_id": anna.game}));
    let by_anna = started.elapsed();
    ben.hears("START").await;
    let by_ben = started.elapsed();
    assert!(
        by_anna >= Duration::from_millis(900) && by_anna < Duration::from_millis(1900),
        "{by_anna:?}"
    );
    assert!(by_ben - by_anna < Duration::from_millis(300), "{by_anna:?} and {by_ben:?}");

    // Once, and nothing else.
    anna.types(0, 0).await;
    ben.sees(&anna, 0, 0).await;
    anna.track().is_silent().await;
}

#[tokio::test]
async fn a_late_joiner_is_told_that_the_race_has_started_and_where_the_others_are() {
    let server = Server::for_players(3).await;
    let [mut anna, mut ben, mut cleo] = server.lobby_of().await;
    for player in [&mut anna, &mut ben] {
        player.lobby.expect("GAME_START").await;
        player.race().await;
        player.hears("START").await;
    }
    anna.types(3, 1).await;
    ben.sees(&anna, 3, 1).await;
    ben.types(2, 0).await;
    anna.sees(&ben, 2, 0).await;

    cleo.lobby.expect("GAME_START").await;
    cleo.race().await;
    assert_eq!(cleo.hears("START").await, json!({"event": "START", "game_id": cleo.game}));
    let positions = [cleo.hears("KEY_STOKE").await, cleo.hears("KEY_STOKE").await];
    for expected in [anna.stroke(3, 1), ben.stroke(2, 0)] {
        assert!(positions.contains(&expected), "{positions:?}");
    }
}

#[tokio::test]
async fn a_player_who_comes_back_is_told_the_positions_but_not_a_second_start() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    ben.types(4, 2).await;
    anna.sees(&ben, 4, 2).await;

    anna.leaves_track().close().await;
    anna.race().await;
    anna.sees(&ben, 4, 2).await;
    ben.types(4, 3).await;
    anna.sees(&ben, 4, 3).await;
    anna.types(1, 1).await;
    ben.sees(&anna, 1, 1).await;
}

#[tokio::test]
async fn every_page_reopens_its_socket_at_start_and_no_player_hears_start_twice() {
    let server = Server::for_players(5).await;
    let mut players: [_; 5] = server.race_of().await;
    for player in &mut players {
        let old = player.leaves_track();
        let (_, ()) = tokio::join!(old.close(), player.race());
    }

    let [anna, others @ ..] = &mut players;
    anna.types(1, 0).await;
    for other in others.iter_mut() {
        other.sees(anna, 1, 0).await;
    }
    others[0].types(2, 0).await;
    anna.sees(&others[0], 2, 0).await;
}

#[tokio::test]
async fn start_reaches_one_who_was_reconnecting_at_that_moment() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 0.5).start().await;
    let [mut anna, mut ben] = server.grid_of().await;
    // Anna's connection breaks off before START and is back after it.
    drop(anna.leaves_track());
    ben.hears("START").await;
    anna.race().await;
    anna.hears("START").await;

    drop(anna.leaves_track());
    anna.race().await;
    ben.types(0, 0).await;
    anna.sees(&ben, 0, 0).await;
}

#[tokio::test]
async fn the_countdown_to_start_runs_down_to_nought() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 0.8).start().await;
    let [mut anna, _ben] = server.grid_of().await;
    let path = format!("/api/v1/game/countdown?game_id={}", anna.game);
    let left = server.get(&path, ANONYMOUS).await.ok()["seconds_left"].as_f64().expect("a number");
    assert!(left > 0.0 && left <= 0.8, "{left}");

    anna.hears("START").await;
    let answer = server.get(&path, ANONYMOUS).await;
    assert_eq!(answer.ok()["seconds_left"].as_f64(), Some(0.0));
}

#[tokio::test]
async fn a_player_who_has_had_start_is_told_since_when_the_race_is_on() {
    let server = Server::for_players(1).await;
    let [mut anna] = server.grid_of().await;
    let mut before = anna.leaves_track().knows_new_events();
    before.expect("START").await;
    time_passes(Duration::from_millis(300)).await;
    let mut after = anna.another_race().await.knows_new_events();
    let resumed = after.expect("RESUME").await;
    assert_eq!(resumed["game_id"], anna.game);
    let seconds = resumed["seconds"].as_f64().expect("a number");
    assert!((0.3..5.0).contains(&seconds), "{seconds} s");
    after.is_silent().await;
}

#[tokio::test]
async fn of_two_tabs_one_hears_start_and_the_other_that_the_race_is_on() {
    let server =
        Server::with().set("game.player_limit", 1).set("game.start_countdown", 1).start().await;
    let [mut anna] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    // Which of a player's sockets is the newest, each server knows of its own.
    anna.turns_to(&server.site().at(0));
    let mut older = anna.another_race().await.knows_new_events();
    let mut newer = anna.another_race().await.knows_new_events();
    newer.expect("START").await;
    let resumed = older.expect("RESUME").await;
    assert!(resumed["seconds"].as_f64().is_some_and(|seconds| seconds < 1.0), "{resumed}");
    older.is_silent().await;
    newer.is_silent().await;
}

#[tokio::test]
async fn of_tabs_on_any_servers_one_hears_start() {
    let server =
        Server::with().set("game.player_limit", 1).set("game.start_countdown", 1).start().await;
    let [mut anna] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    let mut starts = 0;
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(anna.another_race().await.knows_new_events());
    }
    for tab in &mut tabs {
        match tab.hear("START or RESUME").await {
            Heard::Frame(frame) if frame["event"] == "START" => starts += 1,
            Heard::Frame(frame) => assert_eq!(frame["event"], "RESUME", "{frame}"),
            other => panic!("neither: {other:?}"),
        }
    }
    assert_eq!(starts, 1);
    for tab in &mut tabs {
        tab.is_silent().await;
    }
}

#[tokio::test]
async fn a_player_who_races_after_a_lost_start_hears_no_second_one() {
    let server =
        Server::with().set("game.player_limit", 1).set("limits.heartbeat", 1).start().await;
    let [mut anna] = server.grid_of().await;
    // START is sent there, but the client neither reads it nor answers a ping.
    let mut before = anna.leaves_track();
    time_passes(Duration::from_secs(1)).await;
    let mut after = anna.another_race().await.knows_new_events();
    after.expect("RESUME").await;
    after
        .send(json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": 1, "char_index": 0}))
        .await;
    for _ in 0..20 {
        time_passes(Duration::from_millis(250)).await;
        after.is_silent().await;
    }
    assert!(before.has_ended(Duration::from_secs(1)).await);
}
