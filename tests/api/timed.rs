//! Races against the clock: as many words as one can type in a time.

use serde_json::{Value, json};

use crate::persona::Player;
use crate::server::Server;
use crate::setup::Settings;
use crate::site::ANONYMOUS;

const SHORT: &str = "?game_type=timed&seconds=3";

/// Races of three seconds.
fn short_races() -> Settings {
    Server::with()
        .set("handlers.timed.seconds", "[60, 3]")
        .set("game.lobby_countdown", 1)
        .set("game.start_countdown", 0.5)
        .set("game.check_results", true)
}

/// The same for so many players, who meet however long they take to come.
fn short_races_of(players: usize) -> Settings {
    short_races().set("game.player_limit", players).set("game.lobby_countdown", 30)
}

/// Types the first words of the text, and claims as many.
async fn types_words(player: &mut Player, count: usize) {
    let strokes: Vec<_> = player
        .strokes()
        .await
        .into_iter()
        .filter(|(word, _)| *word < i64::try_from(count).unwrap())
        .collect();
    player.types_at(400.0, &strokes).await;
}

async fn claims(player: &Player, words: usize) {
    let wpm = f64::from(u32::try_from(words).unwrap()) * 20.0;
    let claim = json!({
        "game_id": player.game, "wpm": wpm, "wpm_raw": wpm, "acc": 100.0, "correct_words": words
    });
    player.posts(claim).await.ok();
}

#[tokio::test]
async fn when_the_time_is_up_players_are_ranked_by_correct_words() {
    let server = short_races_of(2).start().await;
    let mut players = Vec::new();
    for _ in 0..2 {
        let mut player = server.guest().await;
        player.queues_in(SHORT).await;
        players.push(player);
    }
    assert_eq!(players[0].game, players[1].game, "they meet");
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
        player.knows_new_events();
        player.starts().await;
    }
    let text = players[0].asks("/api/v1/game/words").await;
    assert_eq!(text.ok()["seconds"], 3);
    let [anna, ben] = &mut players[..] else { panic!("two") };
    tokio::join!(types_words(anna, 1), types_words(ben, 2));
    // The slower one claims first: that counts for nothing here.
    claims(anna, 1).await;
    assert_eq!(anna.standing().await["finished"], Value::Null, "before the time is up");
    claims(ben, 2).await;
    claims(ben, 9).await;
    for player in &mut *players {
        player.track().until("TIME_UP").await;
        player.track().until("USER_FINISHED").await;
    }
    let ranking = players[0].ranking().await;
    let row = |row: &Value| (row["id"].clone(), row["rank"].clone(), row["correct_words"].clone());
    let [anna, ben] = &players[..] else { panic!("two") };
    let expected = [(json!(ben.id), json!(1), json!(2)), (json!(anna.id), json!(2), json!(1))];
    assert_eq!(ranking.iter().map(row).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_player_without_a_claim_holds_up_no_other_and_claims_without_typing_are_unranked() {
    let server = short_races_of(3).start().await;
    let [mut anna, mut ben, mut cleo] =
        [server.guest().await, server.guest().await, server.guest().await];
    for player in [&mut anna, &mut ben, &mut cleo] {
        player.queues_in(SHORT).await;
    }
    for player in [&mut anna, &mut ben, &mut cleo] {
        player.lobby.until("GAME_START").await;
        player.race().await;
        player.knows_new_events();
        player.starts().await;
    }
    types_words(&mut anna, 1).await;
    claims(&anna, 1).await;
    claims(&ben, 30).await;
    anna.track().until("TIME_UP").await;
    anna.track().until("USER_FINISHED").await;
    anna.is_ranked().await;
    ben.is_unranked("KEYSTROKES_NOT_SEEN").await;
    assert_eq!(cleo.standing().await["finished"], Value::Null);
    // A result that comes after the ranking is the last.
    claims(&cleo, 0).await;
    let standing = cleo.standing().await;
    assert!(standing["finished"].is_string() && standing["correct_words"] == 0, "{standing}");
}

#[tokio::test]
async fn each_time_has_lobbies_of_its_own_and_friends_can_race_against_the_clock() {
    let server = short_races().start().await;
    let [mut anna, mut ben, mut cleo] =
        [server.guest().await, server.guest().await, server.guest().await];
    anna.queues_in(SHORT).await;
    ben.queues_in("?game_type=timed").await;
    assert_ne!(anna.game, ben.game);
    cleo.queues_in(&format!("{SHORT}&invite_token=abcdefghij")).await;
    assert!(cleo.game != anna.game && cleo.game != ben.game);
    cleo.tells("/api/v1/lobby/start", json!({"game_id": cleo.game})).await.ok();
    for (player, seconds, kind) in
        [(&mut anna, 3, "timed3"), (&mut ben, 60, "timed60"), (&mut cleo, 3, "invited")]
    {
        player.lobby.until("GAME_START").await;
        assert_eq!(player.asks("/api/v1/game/words").await.ok()["seconds"], seconds);
        let current = server.get("/api/v1/game/current", &*player).await.ok()["game"].clone();
        assert_eq!(current, json!({"game_id": player.game, "kind": kind}));
    }
    let words = ben.words().await;
    assert!(words.len() >= 360, "too short for a minute: {}", words.len());
}

#[tokio::test]
async fn only_the_times_of_the_settings_can_be_chosen() {
    let server = short_races().start().await;
    let offered = server.get("/api/v1/lobby/timed", ANONYMOUS).await;
    assert_eq!(offered.ok()["seconds"], json!([60, 3]));
    for query in ["game_type=timed&seconds=7", "game_type=timed&seconds=soon", "game_type=chess"] {
        let handshake =
            server.handshake(&format!("/api/v1/lobby/queue-in/ws?{query}"), ANONYMOUS).await;
        handshake.refused(403, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn bots_race_against_the_clock_too() {
    let settings = short_races().set("handlers.bots.enabled", true).set("game.lobby_countdown", 2);
    let server = settings.start().await;
    let mut anna = server.guest().await;
    anna.queues_in(SHORT).await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.starts().await;
    types_words(&mut anna, 2).await;
    claims(&anna, 2).await;
    anna.track().until("TIME_UP").await;
    crate::server::eventually("all have results", async || {
        let ranking = anna.ranking().await;
        let is_done = ranking.len() > 1 && ranking.iter().all(|row| row["correct_words"].is_u64());
        is_done.then_some(())
    })
    .await;
    assert_eq!(anna.standing().await["rank"], 1);
}
