//! The players of a lobby, how long it still waits, and what becomes of a lobby that all players have left.

use serde_json::{Value, json};

use crate::server::{Server, eventually};
use crate::site::ANONYMOUS;

const PLAYERS: &str = "/api/v1/lobby/players";
const COUNTDOWN: &str = "/api/v1/lobby/countdown";

fn in_list(player: &crate::persona::Player) -> Value {
    json!({"id": player.id, "name": player.public_name()})
}

async fn seconds_left(server: &Server, game: i64) -> f64 {
    let answer = server.get(&format!("{COUNTDOWN}?game_id={game}"), ANONYMOUS).await;
    answer.ok()["seconds_left"].as_f64().expect("a number")
}

#[tokio::test]
async fn the_players_are_listed_in_order_of_arrival() {
    let server = Server::start().await;
    let [anna, ben, cleo] = server.lobby_of().await;

    let seen_by_ben = ben.asks(PLAYERS).await;
    let expected =
        json!({"ok": true, "me": in_list(&ben), "others": [in_list(&anna), in_list(&cleo)]});
    assert_eq!(*seen_by_ben.ok(), expected);
    let seen_by_cleo = cleo.asks(PLAYERS).await;
    assert_eq!(seen_by_cleo.ok()["others"], json!([in_list(&anna), in_list(&ben)]));
}

#[tokio::test]
async fn one_alone_sees_no_others() {
    let server = Server::start().await;
    let anna = server.guest().await;
    assert_eq!(
        *anna.asks(PLAYERS).await.ok(),
        json!({"ok": true, "me": in_list(&anna), "others": []})
    );
}

#[tokio::test]
async fn a_player_who_has_left_is_no_longer_listed() {
    let server = Server::start().await;
    let [mut anna, ben] = server.lobby_of().await;
    drop(ben);
    anna.lobby.expect("USER_LEFT").await;
    assert_eq!(anna.asks(PLAYERS).await.ok()["others"], json!([]));
}

#[tokio::test]
async fn two_tabs_of_one_player_are_one_player() {
    let server = Server::start().await;
    let [anna, ben] = server.lobby_of().await;
    let mut second_tab = ben.another_lobby("").await;
    second_tab.expect("INIT").await;
    second_tab.expect("USER_JOINED").await;

    assert_eq!(anna.asks(PLAYERS).await.ok()["others"], json!([in_list(&ben)]));
    assert_eq!(ben.asks(PLAYERS).await.ok()["others"], json!([in_list(&anna)]));
}

#[tokio::test]
async fn an_outsider_is_not_told_who_plays() {
    let server = Server::for_players(1).await;
    let [anna] = server.lobby_of().await;
    let [ben] = server.lobby_of().await;
    assert_ne!(anna.game, ben.game);
    server
        .get(&format!("{PLAYERS}?game_id={}", ben.game), &anna)
        .await
        .refused(400, "NOT_A_PARTICIPANT");
}

#[tokio::test]
async fn a_lobby_that_does_not_exist_is_not_found() {
    let server = Server::start().await;
    let anna = server.guest().await;
    server.get(&format!("{PLAYERS}?game_id=999999"), &anna).await.refused(404, "GAME_NOT_FOUND");
    server
        .get(&format!("{COUNTDOWN}?game_id=999999"), ANONYMOUS)
        .await
        .refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn the_countdown_runs_down_and_a_late_arrival_does_not_prolong_it() {
    let server = Server::with().set("game.lobby_countdown", 20).start().await;
    let anna = server.guest().await;
    let first = seconds_left(&server, anna.game).await;
    assert!(first > 0.0 && first <= 20.0, "{first}");

    let ben = server.guest().await;
    let second = seconds_left(&server, ben.game).await;
    assert!(second < first, "{second} after {first}");
}

#[tokio::test]
async fn a_countdown_may_be_as_long_as_one_likes() {
    let server = Server::with().set("game.lobby_countdown", 100_000).start().await;
    let anna = server.guest().await;
    let left = seconds_left(&server, anna.game).await;
    assert!(left > 99_900.0 && left <= 100_000.0, "{left}");
}

#[tokio::test]
async fn after_game_start_there_is_no_lobby_left_to_ask_about() {
    let server = Server::with().set("game.lobby_countdown", 0.3).start().await;
    let mut anna = server.guest().await;
    anna.lobby.expect("GAME_START").await;

    anna.asks(PLAYERS).await.refused(404, "GAME_NOT_FOUND");
    anna.asks(COUNTDOWN).await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn a_lobby_that_all_players_left_is_closed_and_starts_no_race() {
    let server = Server::with().set("game.lobby_countdown", 3).start().await;
    let [anna, ben] = server.lobby_of().await;
    let game = anna.game;
    drop((anna, ben));

    eventually("the empty lobby is gone", async || {
        let answer = server.get(&format!("{COUNTDOWN}?game_id={game}"), ANONYMOUS).await;
        (answer.status == 404).then_some(())
    })
    .await;
    for path in ["game/countdown", "game/result"] {
        server
            .get(&format!("/api/v1/{path}?game_id={game}"), ANONYMOUS)
            .await
            .refused(404, "GAME_NOT_FOUND");
    }

    let mut cleo = server.guest().await;
    assert_ne!(cleo.game, game, "a lobby of its own");
    let left = seconds_left(&server, cleo.game).await;
    assert!(left > 2.0, "with a countdown of its own: {left}");

    // Cleo's countdown ends after that of the empty lobby would have.
    cleo.lobby.expect("GAME_START").await;
    server
        .get(&format!("/api/v1/game/words?game_id={game}"), ANONYMOUS)
        .await
        .refused(404, "WORDS_NOT_FOUND");
    server
        .get(&format!("/api/v1/game/result?game_id={game}"), ANONYMOUS)
        .await
        .refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn a_private_lobby_that_all_players_left_is_gone() {
    let server = Server::with().set("game.invite_patience", 600).start().await;
    for query in ["?game_type=single", "?invite_token=0123456789abcdef"] {
        let mut anna = server.guest().await;
        anna.queues_in(query).await;
        let game = anna.game;
        server.get(&format!("/api/v1/lobby/countdown?game_id={game}"), ANONYMOUS).await.ok();
        anna.lobby.close().await;
        eventually("the lobby is gone", async || {
            // Of a lobby and of a race.
            let path = format!("/api/v1/lobby/invite?game_id={game}");
            (server.get(&path, &anna.token).await.code() == "GAME_NOT_FOUND").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_player_who_left_the_lobby_is_not_in_the_race() {
    let server = Server::with().set("game.lobby_countdown", 2.5).start().await;
    let [mut anna, ben] = server.lobby_of().await;
    drop(ben);
    anna.lobby.expect("USER_LEFT").await;
    anna.lobby.expect("GAME_START").await;

    let listed = anna.ranking().await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(anna.asks("/api/v1/game/players").await.ok()["others"], json!({}));
}

#[tokio::test]
async fn the_number_of_a_game_grows_by_one_with_each_lobby() {
    let server = Server::for_players(1).await;
    let mut games = Vec::new();
    for _ in 0..3 {
        games.push(server.guest().await.game);
    }
    assert_eq!(games, [games[0], games[0] + 1, games[0] + 2]);
}
