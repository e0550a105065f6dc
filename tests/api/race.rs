//! The race itself: the others' keystrokes, the words, the end, and what a page asks for beside its socket.

use std::collections::BTreeSet;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::server::Server;
use crate::site::ANONYMOUS;
use crate::socket::Socket;

/// Two players whose race does not start before the test is over.
async fn long_start() -> Server {
    Server::with().set("game.player_limit", 2).set("game.start_countdown", 60).start().await
}

#[tokio::test]
async fn the_others_see_a_keystroke_and_its_sender_does_not() {
    let server = Server::for_players(3).await;
    let [mut anna, mut ben, mut cleo] = server.race_of().await;

    anna.types(1, 2).await;
    let seen = json!({"event": "KEY_STOKE", "game_id": anna.game, "user_id": anna.id, "word_index": 1, "char_index": 2});
    assert_eq!(ben.hears("KEY_STOKE").await, seen);
    assert_eq!(cleo.hears("KEY_STOKE").await, seen);

    ben.types(0, -1).await;
    anna.sees(&ben, 0, -1).await;
    cleo.sees(&ben, 0, -1).await;
    ben.track().is_silent().await;
}

#[tokio::test]
async fn a_page_cannot_speak_for_another_player_or_game() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let [cleo, _dora] = server.lobby_of().await;

    let forged = json!({
        "event": "KEY_STOKE", "game_id": cleo.game, "user_id": ben.id, "word_index": 3, "char_index": 1, "colour": "red",
    });
    anna.track().send(forged).await;
    ben.sees(&anna, 3, 1).await;
}

#[tokio::test]
async fn keystrokes_keep_their_order_and_the_last_one_always_arrives() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    const LAST: i64 = 24;

    for word in 0..=LAST {
        for char in [-1, 0] {
            anna.types(word, char).await;
        }
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&(LAST, 0)) {
        let frame = ben.hears("KEY_STOKE").await;
        let index = |name: &str| frame[name].as_i64().expect("a number");
        seen.push((index("word_index"), index("char_index")));
    }
    assert!(seen.is_sorted(), "{seen:?}");
}

#[tokio::test]
async fn a_backspace_is_relayed_too() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    for (word, char) in [(1, 1), (1, 0), (1, -1), (0, 2)] {
        anna.types(word, char).await;
        ben.sees(&anna, word, char).await;
    }
}

#[tokio::test]
async fn keystrokes_are_dropped_before_start() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 1).start().await;
    let [mut anna, mut ben] = server.grid_of().await;
    anna.types(0, 0).await;
    anna.track().is_alive().await;
    ben.track().is_silent().await;
    anna.hears("START").await;
    ben.hears("START").await;
    anna.types(0, 1).await;
    ben.sees(&anna, 0, 1).await;
}

#[tokio::test]
async fn keystrokes_of_one_who_has_finished_are_relayed() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.finishes(80.0).await;
    anna.types(24, 0).await;
    ben.sees(&anna, 24, 0).await;
}

#[tokio::test]
async fn whole_numbers_may_be_written_in_other_ways() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let game = anna.game;
    let as_texts =
        json!({"event": "KEY_STOKE", "game_id": game, "word_index": "1", "char_index": "0"});
    anna.track().say(Message::text(as_texts.to_string())).await;
    ben.sees(&anna, 1, 0).await;
    anna.track()
        .send(json!({"event": "KEY_STOKE", "game_id": game, "word_index": 2.0, "char_index": 1.0}))
        .await;
    ben.sees(&anna, 2, 1).await;
}

#[tokio::test]
async fn other_events_of_a_page_are_ignored() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    for event in ["PING", "PONG", "START", "RECONNECT"] {
        let frame = json!({"event": event, "game_id": anna.game});
        anna.track().send(frame).await;
    }
    anna.track().is_silent().await;
    anna.types(0, 0).await;
    ben.sees(&anna, 0, 0).await;
}

#[tokio::test]
async fn a_race_hears_nothing_of_another() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let [mut cleo, mut dora] = server.race_of().await;

    cleo.types(5, 1).await;
    dora.sees(&cleo, 5, 1).await;
    anna.types(0, 0).await;
    ben.sees(&anna, 0, 0).await;
    anna.track().is_silent().await;
}

#[tokio::test]
async fn leaving_the_track_is_not_announced() {
    let server = Server::for_players(3).await;
    let [mut anna, mut ben, mut cleo] = server.race_of().await;
    ben.leaves_track().close().await;
    drop(cleo.leaves_track());

    cleo.race().await;
    cleo.types(0, 1).await;
    anna.sees(&cleo, 0, 1).await;
}

#[tokio::test]
async fn the_words_are_the_same_for_all_and_worth_typing() {
    let server = long_start().await;
    let [anna, ben] = server.grid_of().await;
    let answer = server.get(&format!("/api/v1/game/words?game_id={}", anna.game), ANONYMOUS).await;
    assert!(answer.text.starts_with(r#"{"ok":true,"words":""#), "{answer:?}");

    let words = anna.words().await;
    assert_eq!(words.len(), 25);
    assert_eq!(words, ben.words().await);
    assert_eq!(words, anna.words().await);
    let different: BTreeSet<_> = words.iter().collect();
    assert_eq!(different.len(), 25, "without repetition: {words:?}");
    for word in &words {
        let letters =
            word.chars().all(|sign| sign.is_ascii_alphabetic() || sign == '\'' || sign == '-');
        assert!(letters && !word.is_empty(), "{word:?}");
    }
}

#[tokio::test]
async fn two_races_have_different_words() {
    let server = long_start().await;
    let [anna, _ben] = server.grid_of().await;
    let [cleo, _dora] = server.grid_of().await;
    assert_ne!(anna.words().await, cleo.words().await);
}

#[tokio::test]
async fn the_number_of_words_is_a_setting() {
    let server = Server::with().set("game.player_limit", 1).set("game.word_count", 7).start().await;
    let [anna] = server.grid_of().await;
    assert_eq!(anna.words().await.len(), 7);
}

#[tokio::test]
async fn a_custom_word_file_is_read_without_its_empty_lines() {
    let server = Server::with()
        .file("words.txt", "alpha\n\n  \nbravo\r\n\ncharlie \n")
        .set("game.word_file", "words.txt")
        .set("game.word_count", 3)
        .set("game.lobby_countdown", 0.2)
        .start()
        .await;
    let [anna] = server.grid_of().await;
    let words: BTreeSet<_> = anna.words().await.into_iter().collect();
    assert_eq!(words, ["alpha", "bravo", "charlie"].map(str::to_owned).into());
}

#[tokio::test]
async fn there_is_no_race_to_ask_about_while_the_lobby_waits() {
    let server = Server::start().await;
    let anna = server.guest().await;
    anna.asks("/api/v1/game/words").await.refused(404, "WORDS_NOT_FOUND");
    anna.asks("/api/v1/game/countdown").await.refused(404, "GAME_NOT_FOUND");
    anna.asks("/api/v1/game/players").await.refused(404, "GAME_NOT_FOUND");
    anna.asks("/api/v1/game/result").await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn when_a_game_is_cleaned_up_its_sockets_are_told_and_left_open() {
    let server = Server::with()
        .set("game.player_limit", 2)
        .set("game.start_countdown", 0.2)
        .set("game.cleanup_countdown", 3)
        .start()
        .await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.finishes(60.0).await;

    for player in [&mut anna, &mut ben] {
        let told = player.hears("GAME_END").await;
        assert_eq!(told, json!({"event": "GAME_END", "game_id": player.game}));
        player.track().is_silent().await;
    }
    anna.asks("/api/v1/game/words").await.refused(404, "WORDS_NOT_FOUND");
    for path in ["countdown", "players", "result"] {
        anna.asks(&format!("/api/v1/game/{path}")).await.refused(404, "GAME_NOT_FOUND");
    }
    let late = json!({"game_id": ben.game, "wpm": 60.0, "wpm_raw": 60.0, "acc": 90.0});
    ben.posts(late).await.refused(400, "GAME_NOT_FOUND");
    let path = format!("/api/v1/game/ws?game_id={}", ben.game);
    server.handshake(&path, &ben).await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn all_players_in_the_race_hear_of_each_finish() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let [mut at_anna, mut at_ben] =
        [anna.leaves_track(), ben.leaves_track()].map(Socket::knows_new_events);
    for (rank, player) in [(1, &ben), (2, &anna)] {
        player.finishes(60.0).await;
        // Again changes nothing, and is no news.
        player.finishes(60.0).await;
        let expected = serde_json::json!({
            "event": "USER_FINISHED", "game_id": anna.game, "user_id": player.id, "rank": rank
        });
        assert_eq!(at_anna.expect("USER_FINISHED").await, expected);
        assert_eq!(at_ben.expect("USER_FINISHED").await, expected);
    }
    at_anna.is_silent().await;
}
