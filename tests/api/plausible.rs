//! `game.check_results`: figures are held against the server's own clock, which for each player runs from the moment at
//! which START was delivered to it, with a tolerance of 5 % and one second.

use std::time::Duration;

use serde_json::json;

use crate::persona::Player;
use crate::server::{Server, Settings, time_passes};

fn checking() -> Settings {
    Server::with().set("game.check_results", true)
}

/// The speed of somebody who has typed all words of the race in that time.
async fn speed_of(player: &Player, seconds: f64) -> f64 {
    let signs = player.words().await.join(" ").len();
    let words = f64::from(u32::try_from(signs).expect("a short text")) / 5.0;
    words * 60.0 / seconds
}

async fn claims(player: &Player, wpm: f64, wpm_raw: f64) -> crate::site::Answer {
    player.posts(json!({"game_id": player.game, "wpm": wpm, "wpm_raw": wpm_raw, "acc": 98.0})).await
}

#[tokio::test]
async fn nobody_types_a_whole_text_in_the_instant_after_start() {
    let server = checking().set("game.player_limit", 2).start().await;
    let [anna, ben] = server.race_of().await;
    // 25 words at 900 words a minute are about two seconds; none of them has passed.
    claims(&anna, 900.0, 900.0).await.refused(400, "IMPLAUSIBLE_RESULT");
    assert_eq!(ben.ranking().await[0]["rank"], 99999, "recorded nowhere");
}

#[tokio::test]
async fn who_started_late_is_measured_from_its_own_start() {
    let server = checking().set("game.player_limit", 2).set("game.word_count", 3).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
    ben.race().await;
    ben.hears("START").await;

    // Anna is still on her way.
    time_passes(Duration::from_millis(2500)).await;
    anna.race().await;
    anna.hears("START").await;
    let fast = speed_of(&anna, 0.6).await;
    claims(&ben, fast, fast).await.refused(400, "IMPLAUSIBLE_RESULT");
    claims(&anna, fast, fast).await.ok();

    let honest = speed_of(&ben, 2.6).await;
    claims(&ben, honest, honest).await.ok();
    assert_eq!(ben.ranking().await[1]["id"], ben.id);
}

#[tokio::test]
async fn wrong_words_make_a_result_slow_and_not_implausible() {
    let server = checking().set("game.player_limit", 1).set("game.word_count", 3).start().await;
    let [anna] = server.race_of().await;
    // All letters were typed in good time, but only few of the words were right.
    let raw = speed_of(&anna, 0.6).await;
    claims(&anna, raw / 5.0, raw).await.ok();
}

#[tokio::test]
async fn the_check_can_be_switched_off() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    claims(&anna, 900.0, 900.0).await.ok();
}
