//! Figures reported by the players, the ranking made of them, and what is refused.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::persona::{Player, without_record};
use crate::server::Server;
use crate::signing;
use crate::site::ANONYMOUS;

const STATISTICS: &str = "/api/v1/game/statistics";

fn figures(player: &Player) -> Value {
    json!({"game_id": player.game, "wpm": 71.25, "wpm_raw": 80.5, "acc": 96.0})
}

/// The figures with one of them replaced.
fn with(player: &Player, field: &str, value: Value) -> Value {
    let mut figures = figures(player);
    figures[field] = value;
    figures
}

/// An entry of a player who still types.
fn unfinished(player: &Player) -> Value {
    json!({
        "id": player.id, "name": player.public_name(),
        "finished": null, "rank": 99999, "wpm": null, "wpm_raw": null, "acc": null,
    })
}

#[tokio::test]
async fn players_of_a_running_race_are_listed_with_nulls_for_what_is_not_known_yet() {
    let server = Server::for_players(2).await;
    let [anna, ben] = server.grid_of().await;
    let answer = anna.asks("/api/v1/game/players").await;
    let expected =
        json!({"ok": true, "me": unfinished(&anna), "others": {&ben.id: unfinished(&ben)}});
    assert_eq!(*answer.ok(), expected);
}

#[tokio::test]
async fn an_outsider_is_not_told_who_races() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let [ben] = server.race_of().await;
    let path = format!("/api/v1/game/players?game_id={}", ben.game);
    server.get(&path, &anna).await.refused(400, "NOT_A_PARTICIPANT");
}

#[tokio::test]
async fn the_rank_is_the_order_of_arrival_not_the_speed() {
    let server = Server::for_players(3).await;
    let [anna, ben, cleo] = server.race_of().await;
    let before = OffsetDateTime::now_utc();
    ben.finishes(50.0).await;
    anna.finishes(120.0).await;

    let ranking =
        server.get(&format!("/api/v1/game/result?game_id={}", anna.game), ANONYMOUS).await;
    let mut ranking = ranking.ok()["ranking"].as_array().expect("a list").clone();
    ranking.iter_mut().for_each(without_record);
    let ids: Vec<_> = ranking.iter().map(|entry| entry["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, [ben.id.as_str(), anna.id.as_str(), cleo.id.as_str()]);
    assert_eq!(ranking[2], unfinished(&cleo));

    let finished = ranking[0]["finished"].as_str().expect("a time");
    assert_eq!(
        ranking[0],
        json!({
            "id": ben.id, "name": ben.public_name(), "finished": finished,
            "rank": 1, "wpm": 50.0, "wpm_raw": 55.0, "acc": 97.5,
        })
    );
    assert_eq!(ranking[1]["rank"], 2);
    assert!(finished.ends_with("+00:00"), "{finished}");
    let finished = OffsetDateTime::parse(finished, &Rfc3339).expect("ISO 8601");
    assert!(finished >= before && finished <= OffsetDateTime::now_utc(), "{finished}");

    let players = anna.asks("/api/v1/game/players").await;
    assert_eq!(players.ok()["me"], ranking[1]);
    assert_eq!(players.ok()["others"], json!({&ben.id: ranking[0], &cleo.id: ranking[2]}));
}

#[tokio::test]
async fn the_unfinished_come_last_in_order_of_arrival_in_the_lobby() {
    let server = Server::for_players(4).await;
    let [anna, ben, cleo, dora] = server.race_of().await;
    cleo.finishes(60.0).await;
    let ranking = anna.ranking().await;
    let ids: Vec<_> = ranking.iter().map(|entry| entry["id"].clone()).collect();
    assert_eq!(ids, [&cleo.id, &anna.id, &ben.id, &dora.id].map(|id| json!(id)));
}

#[tokio::test]
async fn the_same_report_again_succeeds_and_changes_nothing() {
    let server = Server::for_players(2).await;
    let [anna, ben] = server.race_of().await;
    anna.finishes(60.0).await;
    ben.finishes(50.0).await;
    let before = anna.ranking().await;

    anna.finishes(60.0).await;
    anna.finishes(200.0).await;
    ben.finishes(300.0).await;
    assert_eq!(anna.ranking().await, before);
}

#[tokio::test]
async fn five_who_finish_at_once_get_five_ranks() {
    let server = Server::for_players(5).await;
    let players: [_; 5] = server.race_of().await;
    // Each of them clicks twice.
    join_all(players.iter().chain(&players).map(|player| player.finishes(60.0))).await;

    let ranking = players[0].ranking().await;
    let ranks: Vec<_> =
        ranking.iter().map(|entry| entry["rank"].as_i64().expect("a rank")).collect();
    assert_eq!(ranks, [1, 2, 3, 4, 5]);
    let ids: BTreeSet<_> =
        ranking.iter().map(|entry| entry["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, players.iter().map(|player| player.id.as_str()).collect());
}

#[tokio::test]
async fn a_report_needs_no_open_socket() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
    ben.race().await;
    ben.hears("START").await;
    anna.finishes(60.0).await;
    assert_eq!(anna.ranking().await[0]["id"], anna.id);
}

#[tokio::test]
async fn a_report_before_start_is_refused_and_recorded_nowhere() {
    let server =
        Server::with().set("game.player_limit", 1).set("game.start_countdown", 1).start().await;
    let mut anna = server.guest().await;
    let in_lobby = anna.posts(figures(&anna)).await;
    assert_eq!(in_lobby.status, 400, "{in_lobby:?}");
    assert!(["GAME_NOT_FOUND", "GAME_NOT_STARTED"].contains(&in_lobby.code()), "{in_lobby:?}");

    anna.lobby.expect("GAME_START").await;
    anna.posts(figures(&anna)).await.refused(400, "GAME_NOT_STARTED");
    assert_eq!(anna.ranking().await, [unfinished(&anna)]);

    anna.race().await;
    anna.hears("START").await;
    anna.posts(figures(&anna)).await.ok();
}

#[tokio::test]
async fn a_report_on_the_race_of_other_players_is_refused() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let [ben] = server.race_of().await;
    anna.posts(with(&anna, "game_id", json!(ben.game))).await.refused(400, "NOT_A_PARTICIPANT");
    anna.posts(with(&anna, "game_id", json!(999_999))).await.refused(400, "GAME_NOT_FOUND");
    anna.posts(with(&anna, "game_id", json!(-1))).await.refused(400, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn figures_that_cannot_be_are_refused_and_recorded_nowhere() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let impossible = [
        ("wpm", json!(-0.1)),
        ("wpm", json!(1000.5)),
        ("wpm", json!("NaN")),
        ("wpm", json!("inf")),
        ("wpm_raw", json!(-1)),
        ("wpm_raw", json!("-Infinity")),
        ("acc", json!(-1)),
        ("acc", json!(100.1)),
        ("acc", json!("nan")),
    ];
    for (field, value) in impossible {
        anna.posts(with(&anna, field, value)).await.refused(422, "VALIDATION_ERROR");
    }
    // What JSON has no name for, or no room.
    for literal in ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"] {
        for field in ["wpm", "wpm_raw", "acc"] {
            let text = with(&anna, field, json!("?")).to_string().replace(r#""?""#, literal);
            post_text(&server, &anna, &text).await.refused(422, "VALIDATION_ERROR");
        }
    }
    assert_eq!(anna.ranking().await, [unfinished(&anna)]);
    anna.finishes(60.0).await;
}

#[tokio::test]
async fn the_limits_themselves_are_allowed() {
    let server = Server::for_players(2).await;
    let [anna, ben] = server.race_of().await;
    anna.posts(json!({"game_id": anna.game, "wpm": 0, "wpm_raw": 0, "acc": 0})).await.ok();
    ben.posts(json!({"game_id": ben.game, "wpm": 1000, "wpm_raw": 1000, "acc": 100})).await.ok();
    let ranking = anna.ranking().await;
    assert_eq!(ranking[0]["wpm"].as_f64(), Some(0.0));
    assert_eq!(ranking[1]["acc"].as_f64(), Some(100.0));
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_is_refused() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    for field in ["game_id", "wpm", "wpm_raw", "acc"] {
        let mut lacking = figures(&anna);
        lacking.as_object_mut().expect("an object").remove(field);
        anna.posts(lacking).await.refused(422, "VALIDATION_ERROR");
        for wrong in [json!(null), json!("fast"), json!([1]), json!({"is": 1})] {
            anna.posts(with(&anna, field, wrong)).await.refused(422, "VALIDATION_ERROR");
        }
    }
    anna.posts(with(&anna, "game_id", json!(1.5))).await.refused(422, "VALIDATION_ERROR");
    for body in [json!({}), json!([]), json!(null), json!("text"), json!(1)] {
        anna.posts(body).await.refused(422, "VALIDATION_ERROR");
    }
    for text in
        ["", "{", "wpm=71.2&acc=96", r#"{"game_id": 1,}"#, "\u{feff}{}", r#"{"game_id": 1} {}"#]
    {
        post_text(&server, &anna, text).await.refused(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_body_is_read_generously() {
    let server = Server::for_players(3).await;
    let [anna, ben, cleo] = server.race_of().await;
    let game = anna.game;

    // Numbers as text, a whole number with a point, more fields than needed.
    let text = format!(
        r#"{{"game_id":"{game}","wpm":"71.25","wpm_raw":"80.5","acc":"96","colour":"red","user_id":"{}"}}"#,
        ben.id
    );
    post_text(&server, &anna, &text).await.ok();
    let text = format!(r#"{{"game_id":{game}.0,"wpm":true,"wpm_raw":2,"acc":96}}"#);
    post_text(&server, &ben, &text).await.ok();
    let request =
        server.request(reqwest::Method::POST, STATISTICS, &cleo).body(figures(&cleo).to_string());
    server.send(request).await.ok();

    let ranking = anna.ranking().await;
    let speeds: Vec<_> = ranking.iter().map(|entry| entry["wpm"].as_f64()).collect();
    assert_eq!(speeds, [Some(71.25), Some(1.0), Some(71.25)]);
    assert_eq!(ranking[0]["id"], anna.id, "the token says who, not the body");
}

#[tokio::test]
async fn text_is_no_json() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let request = server.request(reqwest::Method::POST, STATISTICS, &anna);
    let request = request.header("content-type", "text/plain").body(figures(&anna).to_string());
    server.send(request).await.refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_registered_player_whose_record_is_gone_can_still_finish() {
    let server = Server::for_one().await;
    let token = signing::sign(&signing::claims("google-77", "User 77", "REGISTERED"));
    let mut anna = Player::known(&server, token).await;
    anna.lobby.expect("GAME_START").await;
    anna.race().await;
    anna.hears("START").await;
    anna.finishes(60.0).await;
    assert_eq!(anna.ranking().await[0]["id"], "google-77");
}

#[tokio::test]
async fn a_huge_game_number_is_no_failure_of_the_server() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let text = figures(&anna).to_string().replace(
        &format!(r#""game_id":{}"#, anna.game),
        r#""game_id":1000000000000000000000000000000"#,
    );
    post_text(&server, &anna, &text).await.refused(400, "GAME_NOT_FOUND");
}

async fn post_text(server: &Server, player: &Player, text: &str) -> crate::site::Answer {
    let request = server.request(reqwest::Method::POST, STATISTICS, player);
    server.send(request.header("content-type", "application/json").body(text.to_owned())).await
}

#[tokio::test]
async fn strangers_see_registered_players_under_ids_of_one_race() {
    let server = Server::for_players(2).await;
    let mut seen = Vec::new();
    let token = signing::sign(&signing::claims("google-77", "Ada", "REGISTERED"));
    for _ in 0..2 {
        let ben = server.guest().await;
        let mut ada = Player::known(&server.site(), token.clone()).await;
        ada.lobby.until("GAME_START").await;
        ada.race().await;
        ada.starts().await;
        ada.finishes(60.0).await;
        let ids = |ranking: &Value| -> Vec<Value> {
            ranking.as_array().expect("a list").iter().map(|it| it["id"].clone()).collect()
        };
        let path = format!("/api/v1/game/result?game_id={}", ada.game);
        let public = server.get(&path, ANONYMOUS).await.ok()["ranking"].clone();
        let opaque = public[0]["id"].as_str().expect("an id").to_owned();
        assert!(opaque.starts_with("player-") && !opaque.contains("77"), "{opaque}");
        assert_eq!(public[0]["name"], "Ada");
        assert_eq!(public[1]["id"], ben.id, "the public id of a guest");

        let other = signing::sign(&signing::claims("google-78", "Bob", "REGISTERED"));
        let stranger = server.get(&path, &other).await.ok()["ranking"].clone();
        assert_eq!(ids(&stranger), ids(&public), "also to one who did not race");
        for player in [&ada, &ben] {
            let known: Vec<_> = player.ranking().await.iter().map(|it| it["id"].clone()).collect();
            assert_eq!(known, [json!("google-77"), json!(ben.id)]);
        }
        let mut expired = signing::claims("google-77", "Ada", "REGISTERED");
        expired["exp"] = json!(signing::now() - 1);
        let late = server.get(&path, &signing::sign(&expired)).await.ok()["ranking"].clone();
        assert_eq!(late[0]["id"], "google-77", "the own row, when the token has expired");
        seen.push(opaque);
    }
    assert_ne!(seen[0], seen[1], "another one in each race");
}
