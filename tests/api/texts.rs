//! What is typed: chosen alone and by hosts, and the same for all players of a race.

use serde_json::{Value, json};

use crate::persona::Player;
use crate::server::Server;
use crate::setup::Settings;
use crate::site::ANONYMOUS;

const FRIENDS: &str = "?invite_token=abcdefghij";

fn quick() -> Settings {
    Server::with()
        .set("game.lobby_countdown", 1)
        .set("game.start_countdown", 0.5)
        .set("game.single_countdown", 0.5)
}

/// The text of a race alone with this query.
async fn practice(server: &Server, query: &str) -> (Player, Value) {
    let mut player = server.guest().await;
    player.queues_in(&format!("?game_type=single&{query}")).await;
    player.lobby.until("GAME_START").await;
    let text = player.asks("/api/v1/game/words").await.ok().clone();
    (player, text)
}

#[tokio::test]
async fn a_player_alone_chooses_words_of_a_language_quotations_or_code() {
    let server = quick().start().await;
    let offered = server.get("/api/v1/texts", ANONYMOUS).await.ok().clone();
    let kinds: Vec<_> = offered["kinds"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["words", "quotes", "code", "own", "again"]);
    assert!(offered["kinds"][0]["languages"].as_array().unwrap().len() >= 6, "{offered}");

    let (_, plain) = practice(&server, "").await;
    assert_eq!(plain.get("about"), None, "as the present frontend knows it: {plain}");
    let (_, german) = practice(&server, "text=words&language=german&words=40").await;
    assert_eq!(german["about"]["language"], "german");
    assert_eq!(german["words"].as_str().unwrap().split(' ').count(), 40);
    let (_, quote) = practice(&server, "text=quotes").await;
    assert!(quote["about"]["source"].is_string() && quote["about"]["kind"] == "quotes", "{quote}");
    let (mut anna, code) = practice(&server, "text=code&language=rust").await;
    assert_eq!(code["about"]["kind"], "code");
    assert!(code["about"]["lines"].as_array().unwrap().len() >= 4, "{code}");

    // It is raced like any other.
    anna.race().await;
    anna.hears("START").await;
    let claim = anna.types_all(300.0).await;
    anna.posts(claim).await.ok();
    anna.is_ranked().await;
}

#[tokio::test]
async fn a_text_that_is_not_offered_is_refused() {
    let server = quick().start().await;
    for query in ["text=poems", "text=own", "text=code&language=german", "text=again&of=x"] {
        let path = format!("/api/v1/lobby/queue-in/ws?game_type=single&{query}");
        server.handshake(&path, ANONYMOUS).await.refused(403, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn the_host_chooses_for_friends_and_all_players_are_told() {
    let server = quick().start().await;
    let [mut anna, mut ben] = [server.guest().await, server.guest().await];
    anna.queues_in(FRIENDS).await;
    ben.queues_in(FRIENDS).await;
    assert_eq!(anna.game, ben.game);
    let chosen = "/api/v1/texts/choice";
    let choice = |game: i64, kind: &str| json!({"game_id": game, "kind": kind});
    ben.tells(chosen, choice(ben.game, "code")).await.refused(403, "NOT_THE_HOST");
    anna.tells(chosen, choice(anna.game, "own")).await.refused(422, "VALIDATION_ERROR");
    anna.tells(chosen, choice(1_000_000, "code")).await.refused(404, "GAME_NOT_FOUND");

    let own = json!({"game_id": anna.game, "kind": "own", "own": "“Hello”\n  dear\tBen … it’s me"});
    anna.tells(chosen, own).await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.until("TEXT_KIND_CHOSEN").await;
        let seen = player.asks(chosen).await.ok().clone();
        assert_eq!(
            (&seen["kind"], &seen["own"]),
            (&json!("own"), &json!(r#""Hello" dear Ben ... it's me"#))
        );
    }
    anna.tells("/api/v1/lobby/start", json!({"game_id": anna.game})).await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        assert_eq!(player.words().await.join(" "), r#""Hello" dear Ben ... it's me"#);
        player.race().await;
        player.hears("START").await;
    }

    // The same people race the same text again.
    let (race, text) = (anna.game, anna.words().await);
    let invitation = anna.asks("/api/v1/lobby/invite").await.ok()["invite_token"].clone();
    let again = format!("?invite_token={}&text=again&of={race}", invitation.as_str().unwrap());
    let mut cleo = server.guest().await;
    anna.queues_in(&again).await;
    assert_ne!(anna.game, race);
    anna.tells("/api/v1/lobby/start", json!({"game_id": anna.game})).await.ok();
    anna.lobby.until("GAME_START").await;
    assert_eq!(anna.words().await, text);
    // A stranger learns nothing of it.
    cleo.queues_in(&format!("?game_type=single&text=again&of={race}")).await;
    cleo.lobby.until("GAME_START").await;
    assert_ne!(cleo.words().await, text);
}

#[tokio::test]
async fn open_lobbies_have_the_text_of_the_settings_whatever_their_players_ask_for() {
    let server = quick().set("handlers.texts.open", "quotes").start().await;
    let mut anna = server.guest().await;
    anna.queues_in("?text=code").await;
    anna.lobby.until("GAME_START").await;
    assert_eq!(anna.asks("/api/v1/game/words").await.ok()["about"]["kind"], "quotes");

    let outcome = Server::with().set("handlers.texts.open_language", "latin").run();
    assert!(
        outcome.stderr.contains("handlers.texts.open_language: must be one of"),
        "{}",
        outcome.stderr
    );
}
