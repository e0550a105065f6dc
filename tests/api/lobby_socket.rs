//! What a page hears while it waits in the lobby, and who is let in.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::persona::{Player, QUEUE_IN, fetch_token, game_in};
use crate::server::{Server, time_passes};
use crate::signing;
use crate::site::ANONYMOUS;

/// A second after the loss of the socket the seat is free; the rest is for slow machines.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_newcomer_hears_its_game_then_the_offer_of_a_token_then_its_own_arrival() {
    let server = Server::start().await;
    let mut lobby = server.connect("anna", QUEUE_IN, ANONYMOUS).await;

    let init = lobby.expect("INIT").await;
    let game = game_in(&init);
    assert!(game > 0);
    assert_eq!(init, json!({"event": "INIT", "game_id": game}));

    let offer = lobby.expect("GET_TOKEN").await;
    let key = offer["guest_token_key"].as_str().expect("a key");
    assert!(key.len() >= 32, "not to be guessed: {key}");
    assert_eq!(offer, json!({"event": "GET_TOKEN", "game_id": game, "guest_token_key": key}));

    let joined = lobby.expect("USER_JOINED").await;
    assert_eq!(joined, json!({"event": "USER_JOINED", "game_id": game}));
    lobby.is_silent().await;
}

#[tokio::test]
async fn a_known_player_is_offered_no_token() {
    let server = Server::start().await;
    let token = signing::sign(&signing::guest_claims(signing::SOME_GUEST));
    let mut lobby = server.connect("anna", QUEUE_IN, &token).await;

    lobby.expect("INIT").await;
    lobby.expect("USER_JOINED").await;
    lobby.is_silent().await;
}

#[tokio::test]
async fn all_players_hear_of_an_arrival_but_not_of_the_name() {
    let server = Server::start().await;
    let mut anna = server.guest().await;
    let mut ben = server.guest().await;
    assert_eq!(anna.game, ben.game);

    let joined = json!({"event": "USER_JOINED", "game_id": anna.game});
    assert_eq!(anna.lobby.expect("USER_JOINED").await, joined);
    let _cleo = server.guest().await;
    assert_eq!(anna.lobby.expect("USER_JOINED").await, joined);
    assert_eq!(ben.lobby.expect("USER_JOINED").await, joined);
    ben.lobby.is_silent().await;
}

#[tokio::test]
async fn those_who_stay_hear_soon_who_has_left() {
    let server = Server::start().await;
    let [mut anna, ben, cleo] = server.lobby_of().await;

    let left = Instant::now();
    ben.lobby.close().await;
    let heard = anna.lobby.expect("USER_LEFT").await;
    assert_eq!(heard, json!({"event": "USER_LEFT", "game_id": anna.game, "user_id": ben.id}));
    assert!(left.elapsed() < SOON, "after {:?}", left.elapsed());

    let left = Instant::now();
    drop(cleo.lobby);
    let heard = anna.lobby.expect("USER_LEFT").await;
    assert_eq!(heard["user_id"], cleo.id, "a connection that breaks off is a leaving too");
    assert!(left.elapsed() < SOON, "after {:?}", left.elapsed());
}

#[tokio::test]
async fn of_two_who_leave_shortly_after_each_other_both_are_told_soon() {
    let server = Server::start().await;
    let [mut anna, ben, cleo] = server.lobby_of().await;
    ben.lobby.close().await;
    time_passes(Duration::from_millis(300)).await;
    let left = Instant::now();
    cleo.lobby.close().await;
    for gone in [ben.id, cleo.id] {
        assert_eq!(anna.lobby.expect("USER_LEFT").await["user_id"], gone);
    }
    assert!(left.elapsed() < SOON, "after {:?}", left.elapsed());
}

#[tokio::test]
async fn a_reload_is_no_leaving_and_keeps_the_place() {
    let server = Server::with().set("game.lobby_countdown", 3).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    let game = ben.game;

    // Into the same lobby as a page does it: the old socket closes, the new one opens, in either order.
    let (_, mut reloaded) =
        tokio::join!(ben.lobby.close(), server.connect("ben", QUEUE_IN, &ben.token));
    assert_eq!(game_in(&reloaded.expect("INIT").await), game);
    reloaded.expect("USER_JOINED").await;

    let heard = anna.lobby.until("GAME_START").await;
    assert!(heard.iter().all(|frame| frame["event"] != "USER_LEFT"), "{heard:?}");
    ben.lobby = reloaded;
    ben.lobby.until("GAME_START").await;
    assert_eq!(anna.ranking().await.len(), 2);
}

#[tokio::test]
async fn a_player_has_left_when_the_last_of_two_tabs_is_gone() {
    let server = Server::start().await;
    let [mut anna, ben] = server.lobby_of().await;
    let mut second_tab = ben.another_lobby("").await;
    assert_eq!(game_in(&second_tab.expect("INIT").await), ben.game);
    second_tab.expect("USER_JOINED").await;

    ben.lobby.close().await;
    // Later than any leaving of Ben's would be told.
    let cleo = server.guest().await;
    let cleo_id = cleo.id.clone();
    drop(cleo);
    let heard = anna.lobby.until("USER_LEFT").await;
    assert_eq!(
        heard.last().expect("a frame")["user_id"],
        cleo_id,
        "Ben still has a tab: {heard:?}"
    );
    second_tab.is_alive().await;

    second_tab.close().await;
    assert_eq!(anna.lobby.until("USER_LEFT").await.last().expect("a frame")["user_id"], ben.id);
}

#[tokio::test]
async fn what_a_page_says_in_the_lobby_is_not_answered() {
    let server = Server::start().await;
    let [mut anna, mut ben] = server.lobby_of().await;

    for event in ["PING", "PONG", "RECONNECT", "START", "INIT", "GAME_START"] {
        anna.lobby.send(json!({"event": event, "game_id": anna.game})).await;
    }
    anna.lobby.is_silent().await;
    ben.lobby.is_silent().await;
}

#[tokio::test]
async fn nonsense_in_the_lobby_costs_no_player_a_seat() {
    let server = Server::start().await;
    let [mut anna, mut ben] = server.lobby_of().await;

    for nonsense in
        ["", "{", "null", "[]", "42", r#"{"event":1}"#, r#"{"event":"DANCE","game_id":"x"}"#]
    {
        anna.lobby.say(Message::text(nonsense)).await;
    }
    anna.lobby.say(Message::binary(vec![0, 159, 146, 150])).await;
    anna.lobby.is_silent().await;
    let _cleo = server.guest().await;
    anna.lobby.expect("USER_JOINED").await;
    ben.lobby.expect("USER_JOINED").await;
}

#[tokio::test]
async fn the_race_starts_when_the_countdown_ends_even_for_one_player_alone() {
    let server = Server::with().set("game.lobby_countdown", 0.4).start().await;
    let before = Instant::now();
    let mut anna = server.guest().await;
    let arrived = Instant::now();

    let heard = anna.lobby.expect("GAME_START").await;
    assert_eq!(heard, json!({"event": "GAME_START", "game_id": anna.game}));
    assert!(before.elapsed() >= Duration::from_millis(400), "after {:?}", before.elapsed());
    assert!(arrived.elapsed() < Duration::from_millis(1900), "after {:?}", arrived.elapsed());
}

#[tokio::test]
async fn the_lobby_socket_stays_open_after_game_start_for_the_page_to_close() {
    let server = Server::with()
        .set("game.lobby_countdown", 0.3)
        .set("game.start_countdown", 0.5)
        .start()
        .await;
    let mut anna = server.guest().await;
    anna.lobby.expect("GAME_START").await;
    let started = Instant::now();

    anna.race().await;
    anna.hears("START").await;
    anna.lobby.is_silent().await;

    // A socket that stays open is closed, at the latest after ten seconds.
    let mut open = true;
    while open && started.elapsed() < Duration::from_secs(6) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        open = anna.lobby.is_open();
    }
    assert!(open, "closed after {:?}", started.elapsed());
    assert_eq!(anna.lobby.closed().await, 1000);
    assert!(started.elapsed() < Duration::from_secs(12), "after {:?}", started.elapsed());
}

#[tokio::test]
async fn an_unfit_token_is_taken_for_none() {
    let server = Server::with().set("game.player_limit", 20).start().await;
    let claims = signing::guest_claims(signing::SOME_GUEST);
    let mut expired = claims.clone();
    expired["exp"] = json!(signing::now() - 1);
    let unfit = [
        String::new(),
        "garbage".to_owned(),
        signing::sign(&expired),
        signing::sign_as_stranger(&claims),
        signing::unsigned(&claims),
    ];

    for token in unfit {
        let mut lobby = server.connect("anna", QUEUE_IN, &token).await;
        lobby.expect("INIT").await;
        let fresh = fetch_token(&server, &lobby.expect("GET_TOKEN").await).await;
        assert_ne!(
            signing::read(&fresh)["sub"],
            signing::SOME_GUEST,
            "a new identity instead of {token:?}"
        );
        lobby.expect("USER_JOINED").await;
    }
}

#[tokio::test]
async fn a_guest_who_comes_back_with_its_cookie_keeps_its_id() {
    let server = Server::start().await;
    let mut anna = server.guest().await;
    let ben = server.guest().await;
    anna.queues_in("").await;

    let answer = ben.asks("/api/v1/lobby/players").await;
    let others = answer.ok()["others"].as_array().expect("a list");
    assert_eq!(others.len(), 1, "{others:?}");
    assert_eq!(others[0]["id"], anna.id);
}

#[tokio::test]
async fn a_wrong_way_of_queueing_in_is_refused() {
    let server = Server::start().await;
    let wrong = [
        "queue_in_type=sideways",
        "queue_in_type=NEW",
        "queue_in_type=",
        "prev_game_id=one",
        "prev_game_id=1.5",
        "prev_game_id=",
        "queue_in_type=reconnect&prev_game_id=x",
    ];
    for query in wrong {
        server
            .handshake(&format!("{QUEUE_IN}?{query}"), ANONYMOUS)
            .await
            .refused(403, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let server = Server::start().await;
    let mut lobby =
        server.connect("anna", &format!("{QUEUE_IN}?_rsc=1x2y&colour=red"), ANONYMOUS).await;
    lobby.expect("INIT").await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_queue_in() {
    let server = Server::with()
        .embedded()
        .set("cors.allow_origins", r#"["http://localhost:9090"]"#)
        .start()
        .await;

    for origin in ["https://evil.example", "http://localhost:9091", "null"] {
        let request = server.handshake_request(QUEUE_IN, ANONYMOUS).header("origin", origin);
        server.send(request).await.refused(403, "ORIGIN_NOT_ALLOWED");
    }
    let own = format!("http://127.0.0.1:{}", server.port());
    for origin in ["http://localhost:9090", own.as_str()] {
        let mut lobby = server.connect_with("anna", QUEUE_IN, [("origin", origin)]).await;
        lobby.expect("INIT").await;
    }
}

#[tokio::test]
async fn a_plain_request_to_the_lobby_socket_is_refused_in_the_envelope() {
    let server = Server::start().await;
    let answer = server.get(QUEUE_IN, ANONYMOUS).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
    answer.refused(answer.status, answer.code());
}

#[tokio::test]
async fn a_registered_player_whose_record_is_gone_can_still_queue_in() {
    let server = Server::start().await;
    let token = signing::sign(&signing::claims("google-77", "User 77é", "REGISTERED"));
    let anna = Player::known(&server, token).await;
    let answer = anna.asks("/api/v1/lobby/players").await;
    assert_eq!(answer.ok()["me"], json!({"id": "google-77", "name": "User 77é"}));
}
