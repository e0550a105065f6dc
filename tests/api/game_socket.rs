//! Who may open a game socket, and what the server makes of frames that no page would send.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::persona::Player;
use crate::server::Server;
use crate::signing;
use crate::site::ANONYMOUS;

fn track(game: impl std::fmt::Display) -> String {
    format!("/api/v1/game/ws?game_id={game}")
}

/// Anna sends that, and it neither reaches Ben nor costs Anna her socket.
async fn drops(anna: &mut Player, ben: &mut Player, frames: &[Message]) {
    // Something to tell the good frame by.
    for (word, frame) in (1..).zip(frames) {
        anna.track().say(frame.clone()).await;
        anna.types(word, 0).await;
        let heard = ben.hears("KEY_STOKE").await;
        assert_eq!(heard, anna.stroke(word, 0), "after {frame:?}");
    }
    anna.track().is_silent().await;
}

#[tokio::test]
async fn a_game_that_does_not_exist_or_has_not_begun_is_not_found() {
    let server = Server::start().await;
    let anna = server.guest().await;
    server.handshake(&track(999_999), &anna).await.refused(404, "GAME_NOT_FOUND");
    server.handshake(&track(anna.game), &anna).await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn an_outsider_is_refused() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let [ben] = server.race_of().await;
    server.handshake(&track(ben.game), &anna).await.refused(403, "NOT_A_PARTICIPANT");
    let unknown = signing::sign(&signing::guest_claims(signing::SOME_GUEST));
    server.handshake(&track(ben.game), &unknown).await.refused(403, "NOT_A_PARTICIPANT");
}

#[tokio::test]
async fn a_socket_without_a_proper_game_is_refused() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    for query in ["", "?game_id=", "?game_id=x", "?game_id=1.5"] {
        server
            .handshake(&format!("/api/v1/game/ws{query}"), &anna)
            .await
            .refused(403, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_socket_without_a_good_token_is_refused() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let mut claims = signing::read(&anna.token);
    let forged = signing::sign_as_stranger(&claims);
    claims["exp"] = json!(signing::now() - 1);
    let expired = signing::sign(&claims);

    server.handshake(&track(anna.game), ANONYMOUS).await.refused(403, "TOKEN_NOT_PROVIDED");
    server.handshake(&track(anna.game), &String::new()).await.refused(403, "TOKEN_NOT_PROVIDED");
    server.handshake(&track(anna.game), &forged).await.refused(403, "INVALID_TOKEN");
    server.handshake(&track(anna.game), &expired).await.refused(403, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_open_a_game_socket() {
    let server = Server::with()
        .set("game.player_limit", 1)
        .set("cors.allow_origins", r#"["http://localhost:9090"]"#)
        .start()
        .await;
    let [anna] = server.race_of().await;
    let request =
        server.handshake_request(&track(anna.game), &anna).header("origin", "https://evil.example");
    server.send(request).await.refused(403, "ORIGIN_NOT_ALLOWED");

    let cookie = format!("TP_AT={}", anna.token);
    let headers = [("cookie", cookie.as_str()), ("origin", "http://localhost:9090")];
    server.connect_with("anna", &track(anna.game), headers).await.is_alive().await;
}

#[tokio::test]
async fn a_malformed_frame_is_dropped_and_the_socket_stays() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let text = |text: &str| Message::text(text.to_owned());
    let frames = [
        text(""),
        text("{"),
        text("null"),
        text("[]"),
        text("\"KEY_STOKE\""),
        text(r#"{"event":"DANCE","game_id":1}"#),
        text(r#"{"event":"key_stoke","game_id":1,"word_index":9,"char_index":0}"#),
        text(r#"{"game_id":1,"word_index":9,"char_index":0}"#),
        text(r#"{"event":7,"game_id":1,"word_index":9,"char_index":0}"#),
        Message::binary(r#"{"event":"KEY_STOKE","game_id":1,"word_index":9,"char_index":0}"#),
        Message::binary(vec![0, 159, 146, 150]),
    ];
    drops(&mut anna, &mut ben, &frames).await;
}

#[tokio::test]
async fn a_position_that_is_no_position_is_dropped_and_the_socket_stays() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let game = anna.game;
    let wrong = [
        json!({"event": "KEY_STOKE", "game_id": game}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": 1}),
        json!({"event": "KEY_STOKE", "game_id": game, "char_index": 1}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": 1.5, "char_index": 0}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": 1, "char_index": 0.5}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": "one", "char_index": 0}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": null, "char_index": 0}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": [1], "char_index": 0}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": 1, "char_index": u64::MAX}),
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": 1e300, "char_index": 0}),
    ];
    let frames = wrong.map(|frame| Message::text(frame.to_string()));
    drops(&mut anna, &mut ben, &frames).await;
}

#[tokio::test]
async fn a_position_outside_the_text_is_not_relayed() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let outside = [
        (-1, 0),
        (25, 0),
        (26, 0),
        (i64::MAX, 0),
        (i64::MIN, 0),
        (0, -2),
        (0, 500),
        (0, i64::MAX),
        (0, i64::MIN),
    ];
    let frames = outside.map(|(word, char)| {
        let frame = json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": word, "char_index": char});
        Message::text(frame.to_string())
    });
    drops(&mut anna, &mut ben, &frames).await;

    // Over-typing a word by some letters is nothing unusual.
    let length = i64::try_from(anna.words().await[24].len()).expect("a word");
    anna.types(24, length + 2).await;
    ben.sees(&anna, 24, length + 2).await;
}

#[tokio::test]
async fn two_sockets_of_one_player_live_each_by_itself() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let mut second_tab = anna.another_race().await;
    second_tab.is_silent().await;

    ben.types(1, 1).await;
    anna.sees(&ben, 1, 1).await;
    assert_eq!(second_tab.expect("KEY_STOKE").await, ben.stroke(1, 1));

    // From either tab, and never back to Anna.
    anna.types(2, 0).await;
    ben.sees(&anna, 2, 0).await;
    second_tab
        .send(json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": 3, "char_index": 0}))
        .await;
    ben.sees(&anna, 3, 0).await;
    anna.track().is_silent().await;
    second_tab.is_silent().await;

    anna.leaves_track().close().await;
    ben.types(4, 0).await;
    assert_eq!(second_tab.expect("KEY_STOKE").await, ben.stroke(4, 0));
}

#[tokio::test]
async fn the_game_socket_stays_open_after_the_finish() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.finishes(60.0).await;
    ben.finishes(50.0).await;
    anna.track().is_alive().await;
    anna.types(24, 0).await;
    ben.sees(&anna, 24, 0).await;
}
