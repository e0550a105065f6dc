//! What spares players time: the lobby that closes once all are ready, the way back into a race, the rematch, and a text
//! of one's own.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::persona::Player;
use crate::server::Server;
use crate::site::{ANONYMOUS, Answer};

const CURRENT: &str = "/api/v1/game/current";

async fn is_ready(player: &Player) -> Answer {
    player.tells("/api/v1/lobby/ready", json!({"game_id": player.game})).await
}

#[tokio::test]
async fn a_lobby_closes_once_all_people_are_ready_and_the_race_starts_sooner() {
    let settings = Server::with().set("game.lobby_countdown", 30).set("game.start_countdown", 30);
    let server = settings.set("game.single_countdown", 0.5).start().await;
    let begun = Instant::now();
    let [mut anna, mut ben] = server.lobby_of().await;
    for player in [&mut anna, &mut ben] {
        player.lobby = player.another_lobby("").await.knows_new_events();
        player.lobby.until("USER_JOINED").await;
    }
    is_ready(&anna).await.ok();
    let told = ben.lobby.until("USER_READY").await;
    assert_eq!(told.last().unwrap()["user_id"], anna.id);
    let others = ben.asks("/api/v1/lobby/players").await.ok()["others"].clone();
    assert_eq!(others[0]["ready"], true);
    let left = ben.asks("/api/v1/lobby/countdown").await.ok()["seconds_left"].as_f64().unwrap();
    assert!(left > 5.0, "one alone changes nothing");
    is_ready(&ben).await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    // Said once more, it changes nothing.
    is_ready(&ben).await.ok();
    for player in [&mut anna, &mut ben] {
        player.starts().await;
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_lonely_player_who_is_ready_races_at_once_but_still_waits_for_friends() {
    let settings = Server::with().set("game.lobby_countdown", 30).set("game.start_countdown", 30);
    let server = settings.set("game.single_countdown", 0.5).start().await;
    let mut anna = server.guest().await;
    anna.lobby = anna.another_lobby("").await.knows_new_events();
    is_ready(&anna).await.ok();
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.starts().await;

    let mut ben = server.guest().await;
    ben.queues_in("?invite_token=abcdefghij").await;
    is_ready(&ben).await.ok();
    let left = ben.asks("/api/v1/lobby/countdown").await.ok()["seconds_left"].as_f64().unwrap();
    assert!(left > 5.0, "{left}");
    let stranger = json!({"game_id": ben.game});
    server.post("/api/v1/lobby/ready", &anna, &stranger).await.refused(400, "NOT_A_PARTICIPANT");
    let nowhere = json!({"game_id": 99_999});
    server.post("/api/v1/lobby/ready", &anna, &nowhere).await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn any_page_of_a_player_finds_the_running_race() {
    let server = Server::for_players(2).await;
    server.get(CURRENT, ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
    let mut anna = server.guest().await;
    let is_in = async |player: &Player| server.get(CURRENT, player).await.ok()["game"].clone();
    assert_eq!(is_in(&anna).await, Value::Null, "a lobby is no race");
    let mut ben = server.guest().await;
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        assert_eq!(is_in(player).await, json!({"game_id": player.game, "kind": "open"}));
        player.race().await;
        player.starts().await;
    }
    anna.finishes(60.0).await;
    assert_eq!(is_in(&anna).await, Value::Null);
    assert_eq!(is_in(&ben).await["game_id"], ben.game);
    // Only the latest race counts.
    ben.queues_in("?game_type=single").await;
    ben.lobby.until("GAME_START").await;
    assert_eq!(is_in(&ben).await, json!({"game_id": ben.game, "kind": "single"}));
}

#[tokio::test]
async fn the_players_of_a_race_are_told_who_wants_a_rematch_and_where() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let mut track = ben.leaves_track().knows_new_events();
    let race = json!({"game_id": anna.game});
    let answer = anna.tells("/api/v1/lobby/rematch", race.clone()).await;
    let told = track.until("REMATCH").await;
    let expected = json!({"event": "REMATCH", "game_id": anna.game, "user_id": anna.id});
    assert_eq!(*told.last().unwrap(), expected);
    let token = answer.ok()["invite_token"].as_str().unwrap().to_owned();
    let link = format!("?invite_token={token}");
    for player in [&mut anna, &mut ben] {
        player.queues_in(&link).await;
    }
    assert_eq!(anna.game, ben.game);
    let stranger = server.guest().await;
    server.post("/api/v1/lobby/rematch", &stranger, &race).await.refused(400, "NOT_A_PARTICIPANT");
}

#[tokio::test]
async fn a_private_lobby_has_the_text_that_its_first_player_wants() {
    let server =
        Server::with().set("game.word_count", 6).set("game.lobby_countdown", 1).start().await;
    let mut anna = server.guest().await;
    anna.queues_in("?game_type=single&words=40&punctuation=true&numbers=true").await;
    anna.lobby.until("GAME_START").await;
    let words = anna.words().await;
    assert_eq!(words.len(), 40);
    assert!(words[0].starts_with(|it: char| it.is_uppercase() || it.is_ascii_digit()), "{words:?}");
    assert!(words[39].ends_with(['.', '?', '!']), "{words:?}");

    // In an open race all players type the same text.
    let mut ben = server.guest().await;
    ben.queues_in("?words=40&punctuation=true").await;
    ben.lobby.until("GAME_START").await;
    let words = ben.words().await;
    assert_eq!(words.len(), 6);
    assert!(words.iter().all(|word| word.bytes().all(|it| it.is_ascii_lowercase())), "{words:?}");
}

#[tokio::test]
async fn the_address_for_friends_is_private_or_none() {
    let server = Server::start().await;
    let answer = server.get("/api/v1/lobby/address", ANONYMOUS).await;
    let address = answer.ok()["address"].clone();
    let is_private =
        |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_private());
    assert!(address.is_null() || is_private(address.as_str().unwrap()), "{address}");
}
