//! What the server does with those who send too much, read too little or come too often: a clear answer to them, and no
//! harm to the others.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::persona::QUEUE_IN;
use crate::server::{PATIENCE, Server};
use crate::signing;
use crate::site::{ANONYMOUS, Answer};

#[track_caller]
fn too_many(answer: &Answer) {
    answer.refused(429, answer.code());
    let seconds = answer.header("retry-after").parse::<u32>();
    assert!(seconds.is_ok_and(|seconds| seconds <= 3600), "{answer:?}");
}

#[tokio::test]
async fn a_frame_that_is_too_large_harms_no_other_player() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let padding = "x".repeat(5000);
    let large = json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": 9, "char_index": 0, "x": padding});
    anna.track().send(large).await;
    assert_eq!(anna.track().closed().await, 1009);

    anna.race().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
}

#[tokio::test]
async fn a_frame_just_below_the_limit_is_taken() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let padding = "x".repeat(3900);
    let large = json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": 9, "char_index": 0, "x": padding});
    anna.track().send(large).await;
    ben.sees(&anna, 9, 0).await;
}

#[tokio::test]
async fn a_megabyte_in_one_frame_is_not_read() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.track().say(Message::text("x".repeat(1 << 20))).await;
    let code = anna.track().ended().await;
    assert!(matches!(code, None | Some(1009)), "{code:?}");

    anna.race().await;
    ben.types(1, 0).await;
    anna.sees(&ben, 1, 0).await;
}

#[tokio::test]
async fn nonsense_without_end_costs_the_socket() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    for _ in 0..100 {
        if !anna.track().say_all((0..100).map(|_| Message::text("nonsense"))).await {
            break;
        }
    }
    if let Some(code) = anna.track().ended().await {
        assert!(code == 1008 || (4500..5000).contains(&code), "not to come back with more: {code}");
    }
    ben.track().is_silent().await;
}

#[tokio::test]
async fn a_flood_of_keystrokes_does_not_reach_the_others() {
    let server = Server::with()
        .set("game.player_limit", 3)
        .set("limits.frames_per_second", 20)
        .start()
        .await;
    let [mut anna, mut ben, mut cleo] = server.race_of().await;
    let flood = (0..1000).map(|number| {
        let frame =
            json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": number % 25, "char_index": 0}).to_string();
        Message::text(frame)
    });
    let flood: Vec<_> = flood.collect();
    anna.track().say_all(flood).await;

    // Cleo's keystroke comes through it.
    cleo.types(7, 3).await;
    let mut flooded = 0;
    while ben.hears("KEY_STOKE").await["user_id"] != cleo.id {
        flooded += 1;
    }
    assert!(flooded < 200, "Ben heard {flooded} of 1000 at once");
}

#[tokio::test]
async fn a_quick_typist_is_no_flood() {
    let server =
        Server::with().unset("limits.frames_per_second").set("game.player_limit", 2).start().await;
    let [mut anna, mut ben] = server.race_of().await;
    for word in 0..25 {
        anna.types(word, 0).await;
        ben.sees(&anna, word, 0).await;
    }
}

#[tokio::test]
async fn a_reader_that_never_reads_does_not_hold_up_the_others() {
    let server = Server::for_players(3).await;
    let [mut anna, mut ben, mut cleo] = server.race_of().await;
    // Cleo no longer reads; what she misses is more than her buffers hold.
    for round in 0..100 {
        let strokes: Vec<_> = (0..100)
            .map(|number| {
                let word = (round + number) % 24;
                let frame = json!({
                    "event": "KEY_STOKE", "game_id": anna.game, "word_index": word, "char_index": 0,
                });
                Message::text(frame.to_string())
            })
            .collect();
        assert!(anna.track().say_all(strokes).await, "Anna is still welcome");
        anna.types(24, round % 2).await;
        while ben.hears("KEY_STOKE").await != anna.stroke(24, round % 2) {}
    }

    // Whatever became of her socket, Cleo can go on, and sees where Anna is.
    if cleo.track().has_ended(Duration::from_millis(200)).await {
        cleo.race().await;
    }
    anna.types(3, 2).await;
    while cleo.hears("KEY_STOKE").await != anna.stroke(3, 2) {}
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_given_up() {
    let server = Server::with().set("limits.heartbeat", 1).start().await;
    let [mut anna, ben] = server.lobby_of().await;
    // Ben's socket is open, but its client does not read.
    let heard = anna.lobby.expect("USER_LEFT").await;
    assert_eq!(heard["user_id"], ben.id);
    anna.lobby.is_alive().await;
}

#[tokio::test]
async fn an_idle_page_hears_the_heartbeat() {
    let server =
        Server::with().set("limits.heartbeat", 1).set("game.player_limit", 1).start().await;
    let [mut anna] = server.race_of().await;
    anna.track().pinged().await;
    anna.track().pinged().await;
    anna.track().is_silent().await;
}

#[tokio::test]
async fn there_is_an_end_to_the_sockets() {
    let server = Server::with().embedded().set("limits.sockets", 3).start().await;
    let mut players: [_; 3] = server.lobby_of().await;
    too_many(&server.handshake(QUEUE_IN, ANONYMOUS).await);
    for player in &mut players {
        player.lobby.is_alive().await;
    }
    server.get("/healthcheck/alive", ANONYMOUS).await.ok();

    let [anna, mut ben, _cleo] = players;
    anna.lobby.close().await;
    ben.lobby.expect("USER_LEFT").await;
    server.guest().await;
}

#[tokio::test]
async fn the_oldest_tab_of_a_player_makes_way_for_one_too_many() {
    let server = Server::with()
        .embedded()
        .set("limits.sockets_per_player", 2)
        .set("game.player_limit", 2)
        .start()
        .await;
    let [mut anna, mut ben] = server.race_of().await;
    let mut second = anna.another_race().await;
    second.is_alive().await;
    let mut third = anna.another_race().await;

    let code = anna.track().closed().await;
    assert!(
        (4500..5000).contains(&code),
        "not to come back, or the tabs would push each other out: {code}"
    );
    ben.types(1, 0).await;
    let seen = ben.stroke(1, 0);
    assert_eq!(second.expect("KEY_STOKE").await, seen);
    assert_eq!(third.expect("KEY_STOKE").await, seen);
}

#[tokio::test]
async fn there_is_an_end_to_the_guests_of_a_minute() {
    let server = Server::with().embedded().set("limits.guests_per_minute", 3).start().await;
    for _ in 0..3 {
        assert_eq!(server.handshake(QUEUE_IN, ANONYMOUS).await.status, 101);
    }
    let refusal = server.handshake(QUEUE_IN, ANONYMOUS).await;
    too_many(&refusal);
}

#[tokio::test]
async fn there_is_an_end_to_private_lobbies() {
    let server = Server::with().embedded().set("limits.guests_per_minute", 3).start().await;
    let anna = server.guest().await;
    let alone = format!("{QUEUE_IN}?game_type=single");
    for _ in 0..2 {
        assert_eq!(server.handshake(&alone, &anna).await.status, 101);
    }
    too_many(&server.handshake(&alone, &anna).await);
    let by_invitation = format!("{QUEUE_IN}?invite_token=0123456789abcdef0123456789abcdef");
    too_many(&server.handshake(&by_invitation, &anna).await);
    assert_eq!(server.handshake(QUEUE_IN, &anna).await.status, 101, "for all players");
}

#[tokio::test]
async fn there_is_an_end_to_the_seats_of_a_known_player() {
    let server = Server::with().embedded().set("limits.seats_per_player", 3).start().await;
    let (anna, ben) = (server.guest().await, server.guest().await);
    for _ in 0..3 {
        assert_eq!(server.handshake(QUEUE_IN, &anna).await.status, 101);
    }
    let refusal = server.handshake(QUEUE_IN, &anna).await;
    too_many(&refusal);
    let seconds: u32 = refusal.header("retry-after").parse().expect("seconds");
    assert!((15..=20).contains(&seconds), "one seat in twenty seconds: {seconds}");
    assert_eq!(server.handshake(QUEUE_IN, &ben).await.status, 101, "the others go on");
}

#[tokio::test]
async fn there_is_an_end_to_the_seats_of_an_address() {
    let settings = Server::with().embedded().set("limits.trusted_proxies", r#"["127.0.0.1"]"#);
    let server =
        settings.set("limits.seats_per_minute", 4).set("limits.games_per_minute", 2).start().await;
    let from = async |address: &str, query: &str, token: &String| {
        let request = server.handshake_request(&format!("{QUEUE_IN}{query}"), token);
        server.send(request.header("x-forwarded-for", address)).await
    };
    let players: Vec<_> = (0..6).map(|n| signing::guest_claims(&format!("guest-{n}"))).collect();
    let tokens: Vec<_> = players.iter().map(signing::sign).collect();
    let (here, alone) = ("203.0.113.7", "?game_type=single");
    for token in &tokens[..2] {
        assert_eq!(from(here, alone, token).await.status, 101);
    }
    too_many(&from(here, alone, &tokens[2]).await);
    too_many(&from(here, "?invite_token=0123456789abcdef", &tokens[2]).await);
    for token in &tokens[2..4] {
        assert_eq!(from(here, "", token).await.status, 101, "an open lobby");
    }
    too_many(&from(here, "", &tokens[4]).await);
    assert_eq!(from("203.0.113.8", alone, &tokens[4]).await.status, 101);
}

#[tokio::test]
async fn a_class_behind_one_address_races_again_and_again() {
    let settings = Server::with().embedded().unset("limits.guests_per_minute");
    let settings = settings.unset("limits.seats_per_minute").unset("limits.games_per_minute");
    let settings = settings.unset("limits.seats_per_player").unset("limits.requests_per_second");
    let server = settings.start().await;
    let mut class = Vec::new();
    for _ in 0..40 {
        class.push(server.guest().await);
    }
    for query in ["", "", "", "", "?game_type=single", "?game_type=single"] {
        for player in &class {
            let answer = server.handshake(&format!("{QUEUE_IN}{query}"), player).await;
            assert_eq!(answer.status, 101, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn there_is_an_end_to_the_requests_of_a_second() {
    let server = Server::with().embedded().set("limits.requests_per_second", 20).start().await;
    let requests = (0..200).map(|_| server.get("/api/v1/lobby/countdown?game_id=1", ANONYMOUS));
    let answers = futures_util::future::join_all(requests).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 404).collect();
    assert!(refused.len() > 50, "{} of 200 refused", refused.len());
    refused.into_iter().for_each(too_many);
    assert!(answers.iter().any(|answer| answer.status == 404), "some are served");

    // The others' probes are not part of it.
    server.get("/healthcheck/ready", ANONYMOUS).await.ok();
    tokio::time::timeout(PATIENCE, async {
        while server.get("/api/v1/lobby/countdown?game_id=1", ANONYMOUS).await.status == 429 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("served again after a while");
}

#[tokio::test]
async fn the_size_of_a_body_is_a_setting() {
    let server = Server::with().set("limits.body_bytes", 300).start().await;
    let anna = server.guest().await;
    let body = |length: usize| json!({"game_id": 999_999, "wpm": 1, "wpm_raw": 1, "acc": 1, "x": "x".repeat(length)});
    server.post("/api/v1/game/statistics", &anna, &body(100)).await.refused(400, "GAME_NOT_FOUND");
    server
        .post("/api/v1/game/statistics", &anna, &body(400))
        .await
        .refused(413, "PAYLOAD_TOO_LARGE");
}
