//! Results after faults at the worst moment: every player who typed the text is ranked.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use crate::fleet::{Fleet, PATIENCE, Plan};
use crate::persona::Player;
use crate::proxy::Way;
use crate::recorder::{recording, replay};
use crate::server::{time_passes, within};

/// Players of nine races.
const PLAYERS: usize = 45;

/// Pods that judge results, of races with a short text.
fn judging(pods: usize) -> Plan {
    Fleet::of(pods)
        .set("game.check_results", true)
        .set("game.player_limit", 5)
        .set("game.word_count", 5)
        .set("game.lobby_countdown", 30)
}

/// Players on the first pod who have heard START.
async fn racing(fleet: &Fleet, count: usize) -> Vec<Player> {
    let site = fleet.site(0);
    let mut players = Vec::new();
    for _ in 0..count {
        players.push(Player::guest(&site).await);
    }
    let starting = players.iter_mut().map(async |player| {
        player.lobby.until("GAME_START").await;
        player.race().await;
        player.hears("START").await;
    });
    join_all(starting).await;
    players
}

/// Types the text but for its last keys, then those, while `fault` happens in between; and returns what to report.
async fn type_through(players: &mut [Player], fault: impl AsyncFnOnce()) -> Vec<Value> {
    let strokes = join_all(players.iter().map(Player::strokes)).await;
    let begun = tokio::time::Instant::now();
    let cut = |strokes: &Vec<_>| strokes.len() - 3;
    let typing = players.iter_mut().zip(&strokes);
    join_all(typing.map(async |(it, strokes)| it.types_at(150.0, &strokes[..cut(strokes)]).await))
        .await;
    fault().await;
    let typing = players.iter_mut().zip(&strokes).map(async |(player, strokes)| {
        player.types_at(150.0, &strokes[cut(strokes)..]).await;
        player.statistics(strokes.len(), begun.elapsed())
    });
    join_all(typing).await
}

/// Sends a result until it is taken. Nothing but "try again" is an answer meanwhile.
async fn reports(player: &Player, statistics: &Value) {
    within(PATIENCE, "the result is taken", async || {
        let answer = player.posts(statistics.clone()).await;
        assert!(answer.status == 200 || answer.status >= 500, "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
    player.is_ranked().await;
}

#[tokio::test]
async fn all_who_finish_while_redis_is_silent_for_ten_seconds_are_ranked() {
    let Some(fleet) = judging(1).with_a_way_to_redis().start().await else { return };
    let mut players = racing(&fleet, PLAYERS).await;
    let typed = type_through(&mut players, async || fleet.way().is(Way::Silent)).await;
    let later = async {
        time_passes(Duration::from_secs(10)).await;
        fleet.way().is(Way::Open);
    };
    let reporting = players.iter().zip(&typed).map(|(player, typed)| reports(player, typed));
    tokio::join!(join_all(reporting), later);
}

#[tokio::test]
async fn all_who_finish_while_redis_refuses_scripts_are_ranked() {
    let Some(fleet) = judging(2).start().await else { return };
    let mut players = racing(&fleet, PLAYERS).await;
    let refuse = async || fleet.redis.takes_scripts(false).await;
    let typed = type_through(&mut players, refuse).await;
    let later = async {
        time_passes(Duration::from_secs(7)).await;
        fleet.redis.takes_scripts(true).await;
    };
    let reporting = players.iter().zip(&typed).map(|(player, typed)| reports(player, typed));
    tokio::join!(join_all(reporting), later);
}

#[tokio::test]
async fn a_result_is_judged_in_the_same_way_on_another_pod_and_after_the_first_has_gone() {
    let Some(mut fleet) = judging(2).start().await else { return };
    let mut players = racing(&fleet, 5).await;
    let typed = type_through(&mut players, async || {}).await;
    let elsewhere = fleet.site(1);
    for (number, (player, typed)) in players.iter_mut().zip(&typed).enumerate() {
        if number == 2 {
            fleet.pods[0].kill().await;
        }
        player.turns_to(&elsewhere);
        player.posts(typed.clone()).await.ok();
        player.is_believed(typed).await;
    }
}

#[tokio::test]
async fn a_pod_killed_in_mid_race_costs_no_rank() {
    let Some(mut fleet) = judging(2).start().await else { return };
    let mut players = racing(&fleet, 5).await;
    let elsewhere = fleet.site(1);
    let strokes = join_all(players.iter().map(Player::strokes)).await;
    let cut = strokes[0].len() * 3 / 4;
    let typing = players.iter_mut().zip(&strokes);
    join_all(typing.map(async |(player, strokes)| player.types_at(150.0, &strokes[..cut]).await))
        .await;
    fleet.pods[0].kill().await;
    let typing = players.iter_mut().zip(&strokes).map(async |(player, strokes)| {
        player.turns_to(&elsewhere);
        player.race().await;
        let begun = tokio::time::Instant::now();
        player.types_at(150.0, &strokes[cut..]).await;
        // Slower than it was, since some time was lost.
        let statistics = player.statistics(strokes.len() - cut, begun.elapsed() * 2);
        reports(player, &statistics).await;
    });
    join_all(typing).await;
}

#[tokio::test]
async fn a_pod_killed_in_mid_race_costs_at_most_the_last_second_of_positions() {
    let Some(mut fleet) = judging(2).set("game.word_count", 12).start().await else { return };
    let mut players = racing(&fleet, 5).await;
    let (typist, elsewhere) = (&mut players[0], fleet.site(1));
    let strokes = typist.strokes().await;
    // The recorder stores nothing by itself before the middle of the text.
    let (first, rest) = strokes.split_at(strokes.len() / 4);
    typist.types_at(150.0, first).await;
    time_passes(Duration::from_secs(2)).await;
    fleet.pods[0].kill().await;
    typist.turns_to(&elsewhere);
    typist.race().await;
    let begun = tokio::time::Instant::now();
    typist.types_at(150.0, rest).await;
    let statistics = typist.statistics(rest.len(), begun.elapsed() * 2);
    reports(typist, &statistics).await;
    let recording = recording(&elsewhere, typist, typist.game).await;
    let typed = &replay(&elsewhere, &recording).await["players"][0];
    assert_eq!(typed["positions"].as_array().map(Vec::len), Some(strokes.len()), "{typed}");
    assert_eq!(typed["resumed_at"].as_array().map(Vec::len), Some(1), "{typed}");
}
