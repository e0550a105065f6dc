//! Ghosts: a race against a recording.

use serde_json::{Value, json};

use crate::persona::{Player, QUEUE_IN};
use crate::server::{Server, eventually};
use crate::setup::Settings;
use crate::site::ANONYMOUS;

fn quick() -> Settings {
    let settings = Server::with().set("game.player_limit", 2).set("game.word_count", 4);
    settings.set("game.single_countdown", 0.5)
}

/// A race that the player types to its end; the link to its replay.
async fn recorded(server: &Server, player: &mut Player) -> String {
    let statistics = player.types_all(250.0).await;
    player.posts(statistics).await.ok();
    let link = eventually("the result is recorded", async || {
        let path = format!("/api/v1/recordings?game_id={}", player.game);
        let answer = server.get(&path, player).await;
        let own = answer.ok()["recordings"][0].clone();
        own["grade"].is_string().then(|| own["link"].as_str().expect("a link").to_owned())
    })
    .await;
    // The pod of the result knows the positions up to the second before, until the pod of the sockets adds the others.
    eventually("all positions are recorded", async || {
        let answer = server.get(&format!("/api/v1/recordings/{link}"), player).await;
        let players = answer.ok()["players"].as_array().expect("players");
        let own = players.iter().find(|it| it["own"] == true).expect("the player");
        let last = own["positions"].as_array().and_then(|it| it.last());
        last.is_some_and(|it| it["word_index"] == 3 && it["char_index"] != -1).then_some(())
    })
    .await;
    link
}

/// The row of the ghost.
async fn ghost(player: &Player) -> Value {
    let answer = player.asks("/api/v1/game/players").await;
    let others = answer.ok()["others"].as_object().expect("players").clone();
    others.into_values().find(|it| it["ghost"] == true).expect("a ghost")
}

#[tokio::test]
async fn a_ghost_types_as_it_was_recorded_and_takes_no_rank() {
    let server = quick().start().await;
    let [mut anna, mut ben] = server.race_of().await;
    for player in [&mut anna, &mut ben] {
        player.knows_new_events();
    }
    let text = anna.words().await;
    let link = recorded(&server, &mut anna).await;
    let name = anna.public_name();

    // Ben challenges Anna, alone.
    ben.queues_in(&format!("?game_type=single&challenge={link}&player=1")).await;
    ben.lobby.until("GAME_START").await;
    assert_eq!(ben.words().await, text);
    ben.race().await;
    ben.knows_new_events();
    ben.track().until("START").await;
    let row = ghost(&ben).await;
    assert_eq!((&row["name"], &row["bot"]), (&json!(format!("ghost of {name}")), &json!(true)));
    // It reaches the end of the text by itself.
    let last = i64::try_from(text.len()).expect("words") - 1;
    let mut seen = Vec::new();
    loop {
        let frame = ben.track().until("KEY_STOKE").await.pop().expect("a frame");
        assert_eq!(frame["user_id"], row["id"]);
        seen.push((frame["word_index"].as_i64(), frame["char_index"].as_i64()));
        let length = i64::try_from(text.last().expect("a word").len()).expect("a length");
        if seen.last() == Some(&(Some(last), Some(length - 1))) {
            break;
        }
    }
    assert!(seen.is_sorted() && seen.len() > text.len(), "{seen:?}");
    eventually("the ghost has a result", async || {
        ghost(&ben).await["finished"].is_string().then_some(())
    })
    .await;
    assert_eq!(ghost(&ben).await["rank"], 99_999);
    let statistics = ben.types_all(300.0).await;
    ben.posts(statistics).await.ok();
    ben.is_ranked().await;
    assert_eq!(ben.standing().await["rank"], 1);
    // It is in no record.
    let own = server.get(&format!("/api/v1/recordings?game_id={}", ben.game), &ben).await;
    let again = own.ok()["recordings"][0]["link"].as_str().expect("a link").to_owned();
    let replay = server.get(&format!("/api/v1/recordings/{again}"), ANONYMOUS).await;
    assert_eq!(replay.ok()["players"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_personal_best_is_offered_and_friends_race_it_together() {
    let server = quick().start().await;
    let [mut anna, ben] = server.race_of().await;
    anna.knows_new_events();
    let none = server.get("/api/v1/ghosts/best", &ben).await;
    assert_eq!(none.ok()["challenge"], Value::Null);
    server.get("/api/v1/ghosts/best", ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
    let link = recorded(&server, &mut anna).await;
    let best = server.get("/api/v1/ghosts/best", &anna).await;
    assert_eq!((&best.ok()["challenge"], &best.ok()["player"]), (&json!(link), &json!(1)));

    let mut friends = [anna, ben];
    for player in &mut friends {
        player.queues_in(&format!("?invite_token=abcdefghij&challenge={link}")).await;
    }
    let [anna, ben] = &mut friends;
    assert_eq!(anna.game, ben.game, "the ghost takes no one's seat");
    eventually("the ghost is in the lobby", async || {
        let answer = anna.asks("/api/v1/lobby/players").await;
        let body = if answer.status == 200 { answer.ok().clone() } else { return Some(()) };
        let others = body["others"].as_array().expect("players").clone();
        others.iter().any(|it| it["ghost"] == true).then_some(())
    })
    .await;
    for player in [anna, ben] {
        player.lobby.until("GAME_START").await;
        ghost(player).await;
    }
}

#[tokio::test]
async fn what_cannot_be_raced_is_refused() {
    let server = quick().start().await;
    let [mut anna, _ben] = server.race_of().await;
    anna.knows_new_events();
    let link = recorded(&server, &mut anna).await;
    let watch = anna.asks("/api/v1/watch").await.ok()["link"].as_str().expect("a link").to_owned();
    let nothing = format!("{}-{}", anna.game, "0".repeat(20));
    for query in [
        format!("challenge={nothing}"),
        format!("challenge={watch}"),
        format!("challenge={link}&player=0"),
        format!("challenge={link}&player=2"),
        format!("challenge={link}&player=x"),
        "challenge=".to_owned(),
    ] {
        let path = format!("{QUEUE_IN}?game_type=single&{query}");
        server.handshake(&path, ANONYMOUS).await.refused(403, "VALIDATION_ERROR");
    }
}
