//! Lobbies of friends, who find each other by a link, and races alone. No stranger is matched into either.

use serde_json::{Value, json};

use crate::device::Device;
use crate::persona::Player;
use crate::server::Server;
use crate::site::{ANONYMOUS, Answer};

const INVITE: &str = "/api/v1/lobby/invite";
const START: &str = "/api/v1/lobby/start";

/// A fresh invitation, as the query of a lobby's socket.
async fn invitation(server: &Server) -> String {
    let answer = server.post(INVITE, ANONYMOUS, &Value::Null).await;
    let token = answer.ok()["invite_token"].as_str().expect("a token").to_owned();
    format!("?invite_token={token}")
}

/// Guests who follow the link one after the other; everyone has heard all arrivals.
async fn friends<const N: usize>(server: &Server, link: &str) -> [Player; N] {
    let mut friends: Vec<Player> = Vec::new();
    for _ in 0..N {
        let mut friend = server.guest().await;
        friend.queues_in(link).await;
        friend.lobby.expect("USER_JOINED").await;
        for earlier in &mut friends {
            assert_eq!(earlier.game, friend.game, "one lobby for all");
            earlier.lobby.expect("USER_JOINED").await;
        }
        friends.push(friend);
    }
    friends.try_into().ok().expect("as many as asked for")
}

async fn starts(player: &Player) -> Answer {
    player.tells(START, json!({"game_id": player.game})).await
}

#[tokio::test]
async fn friends_meet_by_their_link_and_race_when_the_host_says_so() {
    let server = Server::with().set("game.lobby_countdown", 0.3).start().await;
    let link = invitation(&server).await;
    let [mut anna, mut ben] = friends(&server, &link).await;

    let known = anna.asks(INVITE).await;
    let token = link.rsplit('=').next().unwrap();
    let expected = json!({
        "ok": true, "invite_token": token, "is_private": true, "host": anna.id, "player_limit": 5,
        "text": { "words": null, "punctuation": false, "numbers": false }
    });
    assert_eq!(*known.ok(), expected);
    assert_eq!(*ben.asks(INVITE).await.ok(), expected);

    starts(&ben).await.refused(403, "NOT_THE_HOST");
    starts(&anna).await.ok();
    starts(&anna).await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.expect("GAME_START").await;
        player.race().await;
    }
    // Once it has closed, the request changes nothing and is no error.
    starts(&anna).await.ok();
    for player in [&mut anna, &mut ben] {
        player.starts().await;
    }
    assert_eq!(anna.words().await, ben.words().await);
    assert_eq!(anna.asks(INVITE).await.ok()["host"], Value::Null);
}

#[tokio::test]
async fn the_host_of_friends_chooses_the_text_and_all_players_see_it() {
    let server = Server::start().await;
    let link = invitation(&server).await;
    let [mut anna, mut ben] = friends(&server, &link).await;
    let choose = async |player: &Player, words: u64| {
        let choice = json!({ "game_id": player.game, "words": words, "punctuation": true });
        server.post("/api/v1/lobby/text", player, &choice).await
    };
    choose(&ben, 10).await.refused(403, "NOT_THE_HOST");
    choose(&anna, 4).await.refused(422, "VALIDATION_ERROR");
    choose(&anna, 10).await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.until("TEXT_CHOSEN").await;
        let text = json!({ "words": 10, "punctuation": true, "numbers": false });
        assert_eq!(player.asks(INVITE).await.ok()["text"], text);
    }
    starts(&anna).await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    let words = anna.words().await;
    assert_eq!(words.len(), 10);
    assert!(words[9].ends_with(['.', '?', '!']), "{words:?}");
    choose(&anna, 20).await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn strangers_are_not_matched_into_a_lobby_of_friends() {
    let server = Server::start().await;
    let link = invitation(&server).await;
    let [anna] = friends(&server, &link).await;
    let mut stranger = server.guest().await;
    assert_ne!(stranger.game, anna.game);
    let reconnect = format!("?queue_in_type=reconnect&prev_game_id={}", anna.game);
    stranger.queues_in(&reconnect).await;
    assert_ne!(stranger.game, anna.game);
    let other_link = invitation(&server).await;
    stranger.queues_in(&other_link).await;
    assert_ne!(stranger.game, anna.game);
    server
        .get(&format!("{INVITE}?game_id={}", anna.game), &stranger)
        .await
        .refused(400, "NOT_A_PARTICIPANT");
    let start = json!({"game_id": anna.game});
    server.post(START, &stranger, &start).await.refused(400, "NOT_A_PARTICIPANT");
}

#[tokio::test]
async fn friends_do_not_wait_for_the_host_once_they_are_as_many_as_may_be() {
    let server = Server::for_players(2).await;
    let link = invitation(&server).await;
    let [mut anna, mut ben] = friends(&server, &link).await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
    // Who comes too late waits in the next lobby.
    let [cleo] = friends(&server, &link).await;
    assert_ne!(cleo.game, anna.game);
    assert_eq!(cleo.asks(INVITE).await.ok()["host"], cleo.id);
}

#[tokio::test]
async fn a_link_stays_good_for_the_next_race() {
    let server = Server::for_players(2).await;
    let link = invitation(&server).await;
    let [mut anna, mut ben] = friends(&server, &link).await;
    let first = anna.game;
    for player in [&mut anna, &mut ben] {
        player.lobby.expect("GAME_START").await;
        player.race().await;
        player.starts().await;
    }
    anna.finishes(60.0).await;
    ben.finishes(50.0).await;
    ben.queues_in(&link).await;
    anna.queues_in(&link).await;
    assert_eq!(anna.game, ben.game);
    assert_ne!(anna.game, first);
}

#[tokio::test]
async fn those_who_met_by_chance_meet_again_by_a_token_that_they_share() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let token = |answer: &Answer| answer.ok()["invite_token"].as_str().unwrap().to_owned();
    let known = anna.asks(INVITE).await;
    assert_eq!(known.ok()["is_private"], false);
    let link = format!("?invite_token={}", token(&known));
    assert_eq!(token(&ben.asks(INVITE).await), token(&known));
    let [cleo, _] = server.race_of().await;
    assert_ne!(token(&cleo.asks(INVITE).await), token(&known));
    anna.queues_in(&link).await;
    ben.queues_in(&link).await;
    assert_eq!(anna.game, ben.game);
}

#[tokio::test]
async fn when_the_host_leaves_the_next_one_is_host() {
    let server = Server::start().await;
    let link = invitation(&server).await;
    let [anna, mut ben] = friends(&server, &link).await;
    starts(&ben).await.refused(403, "NOT_THE_HOST");
    drop(anna);
    ben.lobby.expect("USER_LEFT").await;
    assert_eq!(ben.asks(INVITE).await.ok()["host"], ben.id);
    starts(&ben).await.ok();
    ben.lobby.expect("GAME_START").await;
}

#[tokio::test]
async fn a_friend_who_reloads_keeps_the_seat_and_finds_the_race_after_game_start() {
    let server = Server::with().set("game.start_countdown", 30).start().await;
    let link = invitation(&server).await;
    let [mut anna, mut ben] = friends(&server, &link).await;
    let game = ben.game;
    ben.queues_in(&link).await;
    assert_eq!(ben.game, game);
    starts(&anna).await.ok();
    anna.lobby.until("GAME_START").await;
    ben.queues_in(&link).await;
    assert_eq!(ben.game, game);
    ben.lobby.expect("GAME_START").await;
    // Also when the link leads others to the next lobby already.
    let [cleo] = friends(&server, &link).await;
    assert_ne!(cleo.game, game);
    ben.queues_in(&link).await;
    assert_eq!(ben.game, game);
    // A player who queues in without the link wants to meet strangers.
    ben.queues_in(&format!("?queue_in_type=reconnect&prev_game_id={game}")).await;
    assert_ne!(ben.game, game);
}

#[tokio::test]
async fn a_second_request_for_a_race_alone_gets_the_one_that_has_not_started() {
    let slow = Server::with().set("game.start_countdown", 30).set("game.single_countdown", 30);
    let server = slow.start().await;
    let mut anna = server.guest().await;
    anna.queues_in("?game_type=single").await;
    let game = anna.game;
    anna.queues_in("?game_type=single").await;
    assert_eq!(anna.game, game);
    anna.lobby.until("GAME_START").await;
    anna.queues_in("?game_type=single").await;
    assert_eq!(anna.game, game);
    anna.lobby.expect("GAME_START").await;
}

#[tokio::test]
async fn a_lobby_of_friends_waits_as_long_as_the_settings_say_and_no_longer() {
    let server = Server::with().set("game.invite_patience", 0.5).start().await;
    let link = invitation(&server).await;
    let [mut anna] = friends(&server, &link).await;
    anna.lobby.expect("GAME_START").await;
}

#[tokio::test]
async fn only_a_host_of_friends_starts_a_lobby() {
    let server = Server::start().await;
    let anna = server.guest().await;
    starts(&anna).await.refused(404, "GAME_NOT_FOUND");
    server.post(START, &anna, &json!({"game_id": 999_999})).await.refused(404, "GAME_NOT_FOUND");
    server.post(START, &anna, &json!({})).await.refused(422, "VALIDATION_ERROR");
    server.post(START, ANONYMOUS, &json!({"game_id": 1})).await.refused(401, "TOKEN_NOT_PROVIDED");
    server.get(&format!("{INVITE}?game_id=999999"), &anna).await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn what_is_no_invitation_is_refused() {
    let server = Server::start().await;
    for query in [
        "?invite_token=",
        "?invite_token=short",
        "?invite_token=ABCDEFGHIJ",
        "?invite_token=abcdefgh&game_type=single",
        "?game_type=team",
    ] {
        let path = format!("{}{query}", crate::persona::QUEUE_IN);
        server.handshake(&path, ANONYMOUS).await.refused(403, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_player_who_races_alone_is_alone_and_does_not_wait_long() {
    let server = Server::with().set("game.single_countdown", 0.2).start().await;
    let mut anna = server.guest().await;
    let waiting = anna.game;
    anna.queues_in("?game_type=single").await;
    assert_ne!(anna.game, waiting);
    let [mut ben] = server.lobby_of().await;
    assert_ne!(ben.game, anna.game);
    ben.queues_in("?game_type=single").await;
    assert_ne!(ben.game, anna.game);
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.starts().await;
    anna.finishes(60.0).await;
    let ranking = anna.ranking().await;
    assert_eq!((ranking.len(), &ranking[0]["rank"]), (1, &json!(1)));
}

#[tokio::test]
async fn the_history_tells_a_race_alone_from_one_against_others() {
    let server = Server::with().set("game.player_limit", 1).start().await;
    let account = Device::of_new_account(&server, "Anna").await.access;
    let mut races = Vec::new();
    for query in ["?game_type=single", "", "?invite_token=abcdefghij"] {
        let mut anna = Player::known(&server.site(), account.clone()).await;
        anna.queues_in(query).await;
        anna.lobby.until("GAME_START").await;
        anna.race().await;
        anna.starts().await;
        anna.finishes(60.0).await;
        races.push((anna.game, if query.contains("single") { 0 } else { 1 }));
    }
    let history = server.get("/api/v1/profile/history?page=1&size=20", &account).await;
    let rows = history.ok()["data"].as_array().expect("a list").clone();
    for (game, kind) in races {
        let row = rows.iter().find(|row| row["game_id"] == game).expect("a row of the race");
        assert_eq!(row["game_type"], kind, "{row}");
    }
}
