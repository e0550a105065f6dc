//! Bots: they come when too few people did, type like people, say what they are, and leave no trace.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::device::Device;
use crate::persona::Player;
use crate::server::{Server, eventually};
use crate::setup::Settings;

/// Bots that are done soon with a short text.
fn with_bots() -> Settings {
    Server::with()
        .set("handlers.bots.enabled", true)
        .set("handlers.bots.slowest", 200)
        .set("handlers.bots.fastest", 250)
        .set("game.word_count", 4)
        .set("game.lobby_countdown", 2)
}

fn is_bot(row: &Value) -> bool {
    row["bot"] == true
}

#[tokio::test]
async fn a_lonely_lobby_is_filled_with_bots_that_say_so() {
    let server = with_bots().start().await;
    let mut anna = server.guest().await;
    anna.lobby.expect("USER_JOINED").await;
    anna.lobby.expect("USER_JOINED").await;
    let others = anna.asks("/api/v1/lobby/players").await.ok()["others"].clone();
    let others = others.as_array().expect("a list");
    assert_eq!(others.len(), 2);
    for bot in others {
        let (id, name) = (bot["id"].as_str().unwrap(), bot["name"].as_str().unwrap());
        assert!(is_bot(bot) && id.starts_with("bot-") && name.ends_with(" (bot)"), "{bot}");
    }
    anna.lobby.expect("GAME_START").await;
}

#[tokio::test]
async fn bots_type_to_the_end_and_take_no_ones_rank() {
    let server = with_bots().start().await;
    let mut anna = server.guest().await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.starts().await;
    let mut track = anna.leaves_track().knows_new_events();
    let first = track.expect("KEY_STOKE").await;
    assert!(first["user_id"].as_str().unwrap().starts_with("bot-"), "{first}");
    for _ in 0..2 {
        let frames = track.until("USER_FINISHED").await;
        let finished = frames.last().unwrap();
        assert_eq!(finished["rank"], 99_999);
        let own = frames.iter().filter(|frame| {
            frame["event"] == "KEY_STOKE" && frame["user_id"] == finished["user_id"]
        });
        assert!(own.clone().all(|stroke| stroke["word_index"].as_i64() < Some(4)));
    }
    // First to finish of three, and first among people.
    anna.finishes(60.0).await;
    let frames = track.until("USER_FINISHED").await;
    let finished = frames.last().unwrap();
    assert_eq!((&finished["user_id"], &finished["rank"]), (&json!(anna.id), &json!(1)));
    let ranking = anna.ranking().await;
    assert_eq!((&ranking[0]["id"], &ranking[0]["rank"]), (&json!(anna.id), &json!(1)));
    assert!(ranking[0].get("bot").is_none());
    for bot in &ranking[1..] {
        assert!(is_bot(bot) && bot["rank"] == 99_999 && bot["finished"].is_string(), "{bot}");
        assert!((199.0..251.0).contains(&bot["wpm"].as_f64().unwrap()), "{bot}");
    }
}

#[tokio::test]
async fn no_bots_come_when_enough_people_did() {
    // Both come before the bots do, also on a slow machine.
    let server = with_bots().set("handlers.bots.players", 2).set("game.lobby_countdown", 3);
    let server = server.start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
}

#[tokio::test]
async fn bots_make_room_for_people() {
    let settings = with_bots().set("game.player_limit", 3).set("game.lobby_countdown", 3);
    let server = settings.start().await;
    let mut anna = server.guest().await;
    anna.lobby.expect("USER_JOINED").await;
    anna.lobby.expect("USER_JOINED").await;
    let ben = server.guest().await;
    assert_eq!(ben.game, anna.game);
    let frames = anna.lobby.until("USER_LEFT").await;
    assert!(frames.last().unwrap()["user_id"].as_str().unwrap().starts_with("bot-"));
    let others = anna.asks("/api/v1/lobby/players").await.ok()["others"].clone();
    let kinds: Vec<_> = others.as_array().unwrap().iter().map(is_bot).collect();
    assert_eq!(kinds, [true, false]);
}

#[tokio::test]
async fn friends_and_those_who_race_alone_are_left_alone() {
    let settings = with_bots().set("game.invite_patience", 2).set("game.start_countdown", 30);
    let server = settings.start().await;
    let [mut anna, mut ben] = [server.guest().await, server.guest().await];
    anna.queues_in("?invite_token=abcdefghij").await;
    ben.queues_in("?game_type=single").await;
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        let players = player.asks("/api/v1/game/players").await;
        assert_eq!(players.ok()["others"], json!({}));
    }
}

#[tokio::test]
async fn the_records_know_nothing_of_bots() {
    let server = with_bots().start().await;
    let account = Device::of_new_account(&server, "Anna").await.access;
    let mut anna = Player::known(&server.site(), account.clone()).await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.starts().await;
    let mut track = anna.leaves_track().knows_new_events();
    track.until("USER_FINISHED").await;
    track.until("USER_FINISHED").await;
    anna.finishes(60.0).await;
    eventually("the race in the history", async || {
        let history = server.get("/api/v1/profile/history?page=1&size=20", &account).await;
        let row = history.ok()["data"][0].clone();
        (row["game_id"] == anna.game).then(|| assert_eq!(row["rank"], 1))
    })
    .await;
}

#[tokio::test]
async fn bots_go_on_where_they_would_be_after_the_server_was_killed() {
    let settings = with_bots().set("handlers.bots.slowest", 20).set("handlers.bots.fastest", 20);
    let mut server = settings.set("game.word_count", 12).embedded().start().await;
    let mut anna = server.guest().await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.starts().await;
    let place = |frame: &Value| (frame["word_index"].as_i64(), frame["char_index"].as_i64());
    let begun = anna.track().expect("KEY_STOKE").await;
    server.kill().await;
    server.restart().await;
    anna.race().await;
    let mut track = anna.leaves_track();
    let mut latest = Vec::new();
    // Both bots move on, and the one that had begun not from the start again.
    while latest.len() < 12 {
        latest.push(track.expect("KEY_STOKE").await);
    }
    let bots: BTreeSet<_> = latest.iter().filter_map(|frame| frame["user_id"].as_str()).collect();
    assert_eq!(bots.len(), 2, "{latest:?}");
    let mut own = latest.iter().filter(|frame| frame["user_id"] == begun["user_id"]).map(place);
    assert!(own.next() >= Some(place(&begun)), "{begun} {latest:?}");
    assert!(own.next_back() > Some(place(&begun)), "{begun} {latest:?}");
}

#[tokio::test]
async fn bots_are_rivals_of_people_who_have_raced() {
    let server = with_bots().set("game.single_countdown", 0.2).start().await;
    let mut anna = server.guest().await;
    anna.queues_in("?game_type=single").await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.starts().await;
    let figures = anna.types_all(90.0).await;
    anna.posts(figures).await.ok();
    anna.queues_in("").await;
    anna.lobby.until("GAME_START").await;
    let players = anna.asks("/api/v1/game/players").await.ok()["others"].clone();
    for id in players.as_object().expect("bots").keys() {
        let wpm: f64 = id.split('-').nth(1).unwrap().parse().unwrap();
        assert!((70.0..110.0).contains(&wpm), "{id} for a player of about 90");
    }
    assert_eq!(anna.asks("/api/v1/lobby/bots").await.ok()["players"], 3);
}

#[test]
fn settings_of_bots_that_cannot_be_end_the_start() {
    let outcome = with_bots().set("handlers.bots.players", 99).embedded().run();
    assert!(!outcome.status.success());
    assert!(
        outcome.stderr.contains("handlers.bots.players must be at most 20"),
        "{}",
        outcome.stderr
    );
}

#[tokio::test]
async fn a_timer_of_bots_that_are_not_needed_does_not_come_again_and_again() {
    let server = with_bots().set("handlers.bots.players", 1).embedded().start().await;
    let mut anna = server.guest().await;
    anna.lobby.until("GAME_START").await;
    let fired = server.counted(0, "typephoon_timers_fired_total").await;
    assert!((1..20).contains(&fired), "{fired} timers for one lobby");
}
