//! Spectators: what they see on each pod, which games can be watched, and that they do not disturb players.

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::persona::{Player, QUEUE_IN};
use crate::server::{Server, eventually};
use crate::site::{ANONYMOUS, Caller, Site};
use crate::socket::Socket;

const FRIENDS: &str = "?invite_token=abcdefghij";

/// The link for spectators, as a player gets it.
async fn link(player: &Player) -> String {
    let share = player.asks("/api/v1/watch").await;
    share.ok()["link"].as_str().expect("a link").to_owned()
}

fn path(link: &str) -> String {
    format!("/api/v1/watch/live/ws?link={link}")
}

/// A spectator, and what it is told first.
async fn spectator(site: &Site, link: &str, caller: &impl Caller) -> (Socket, Value) {
    let mut socket = site.connect("a spectator", &path(link), caller).await;
    let scene = socket.until("WATCHING").await.pop().expect("a frame");
    (socket, scene)
}

/// A spectator on each pod.
async fn on_each_pod(server: &Server, link: &str) -> Vec<(Socket, Value)> {
    let mut spectators = Vec::new();
    for pod in 0..server.site().ports().len() {
        spectators.push(spectator(&server.site().at(pod), link, ANONYMOUS).await);
    }
    spectators
}

/// The number of a player's seat.
fn seat(scene: &Value, player: &Player) -> u64 {
    let players = scene["players"].as_array().expect("players");
    let own = players.iter().find(|it| it["name"] == player.public_name()).expect("the player");
    own["id"].as_str().expect("an id").parse().expect("a number")
}

/// Reads until a caret is there, and returns how many frames were read.
async fn sees(socket: &mut Socket, caret: &Value) -> usize {
    let mut frames = 0;
    loop {
        frames += 1;
        let frame = socket.until("CARETS").await.pop().expect("a frame");
        if frame["carets"].as_array().expect("carets").contains(caret) {
            return frames;
        }
    }
}

/// Reads until the state is as wanted.
async fn becomes(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let scene = socket.until("WATCHING").await.pop().expect("a frame");
        if wanted(&scene) {
            return scene;
        }
    }
}

#[tokio::test]
async fn spectators_on_every_pod_see_carets_results_and_the_end() {
    let settings = Server::with().set("game.player_limit", 2).set("game.word_count", 5);
    let server = settings.start().await;
    let [mut anna, mut ben] = server.race_of().await;
    for player in [&mut anna, &mut ben] {
        player.knows_new_events();
    }
    let link = link(&anna).await;
    let words = anna.words().await.join(" ");
    let mut spectators = on_each_pod(&server, &link).await;
    for (_, scene) in &spectators {
        assert_eq!((&scene["stage"], &scene["words"]), (&json!("running"), &json!(words)));
        assert!(scene["running_for"].as_f64().expect("seconds") >= 0.0);
    }
    let scene = spectators[0].1.clone();
    let (first, second) = (seat(&scene, &anna), seat(&scene, &ben));
    let strokes = anna.strokes().await;
    let begun = Instant::now();
    anna.types_at(200.0, &strokes).await;
    let typed = begun.elapsed();
    let (word, char) = *strokes.last().expect("a text");
    for (socket, _) in &mut spectators {
        let frames = sees(socket, &json!([first, word, char])).await;
        // One frame per tick, and not per key.
        let most = usize::try_from(typed.as_millis() / 200).expect("a short time") + 3;
        assert!(frames <= most.min(strokes.len()), "{frames} frames in {typed:?}");
    }
    let statistics = anna.statistics(strokes.len(), typed);
    anna.posts(statistics).await.ok();
    let row = usize::try_from(first - 1).expect("a seat");
    for (socket, _) in &mut spectators {
        let scene = becomes(socket, |it| it["players"][row]["finished"].is_string()).await;
        assert_eq!(
            (&scene["stage"], &scene["players"][row]["rank"]),
            (&json!("running"), &json!(1))
        );
    }
    let statistics = ben.types_all(300.0).await;
    ben.posts(statistics).await.ok();
    for (socket, _) in &mut spectators {
        let scene = becomes(socket, |it| it["stage"] == "over" && it["replay"].is_string()).await;
        assert_eq!(scene["carets"].as_array().map(Vec::len), Some(2), "{second}");
        let replay = format!("/api/v1/recordings/{}", scene["replay"].as_str().expect("a link"));
        server.get(&replay, ANONYMOUS).await.ok();
        for secret in [&anna.id, &ben.id, &anna.token, &ben.token] {
            assert!(!scene.to_string().contains(secret.as_str()), "{scene}");
        }
    }
}

#[tokio::test]
async fn a_spectator_who_comes_late_sees_those_who_do_not_move() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let link = link(&anna).await;
    for char in 0..2 {
        anna.types(0, char).await;
        ben.sees(&anna, 0, char).await;
    }
    for (mut socket, scene) in on_each_pod(&server, &link).await {
        let caret = json!([seat(&scene, &anna), 0, 1]);
        if !scene["carets"].as_array().expect("carets").contains(&caret) {
            sees(&mut socket, &caret).await;
        }
        // Then nothing moves, and only the number of spectators is told.
        loop {
            let frame = socket.until("CARETS").await.pop().expect("a frame");
            if frame["spectators"].as_u64() > Some(0) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn bots_are_seen_wherever_they_are_watched_from() {
    let settings = Server::with().set("handlers.bots.enabled", true);
    let server = settings.set("game.lobby_countdown", 1).start().await;
    let mut anna = server.guest().await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.track().until("START").await;
    let link = link(&anna).await;
    for (mut socket, scene) in on_each_pod(&server, &link).await {
        let players = scene["players"].as_array().expect("players").clone();
        let bots: Vec<u64> = players
            .iter()
            .filter(|it| it["bot"] == true)
            .map(|it| it["id"].as_str().expect("an id").parse().expect("a number"))
            .collect();
        assert!(!bots.is_empty());
        loop {
            let frame = socket.until("CARETS").await.pop().expect("a frame");
            let carets = frame["carets"].as_array().expect("carets");
            if carets.iter().any(|caret| bots.contains(&caret[0].as_u64().expect("a seat"))) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_lobby_is_watched_through_its_countdown_until_the_race() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 1).start().await;
    let mut anna = server.guest().await;
    let link = link(&anna).await;
    let (mut socket, scene) = spectator(&server.site(), &link, ANONYMOUS).await;
    assert_eq!((&scene["stage"], &scene["words"]), (&json!("lobby"), &Value::Null));
    let ben = server.guest().await;
    let scene = becomes(&mut socket, |it| it["players"].as_array().map(Vec::len) == Some(2)).await;
    assert_eq!(seat(&scene, &ben), 2);
    let scene = becomes(&mut socket, |it| it["stage"] == "countdown").await;
    assert!(scene["words"].is_string() && scene["starts_in"].as_f64() > Some(0.0), "{scene}");
    anna.lobby.until("GAME_START").await;
    becomes(&mut socket, |it| it["stage"] == "running").await;
}

#[tokio::test]
async fn the_host_of_friends_forbids_spectators_and_allows_them_again() {
    let server = Server::with().start().await;
    let mut anna = server.guest().await;
    let mut ben = server.guest().await;
    for player in [&mut anna, &mut ben] {
        player.queues_in(FRIENDS).await;
    }
    let link = link(&anna).await;
    let mut sockets: Vec<_> =
        on_each_pod(&server, &link).await.into_iter().map(|(socket, _)| socket).collect();
    let choice = |allowed: bool| json!({"game_id": anna.game, "allowed": allowed});
    ben.tells("/api/v1/watch", choice(false)).await.refused(403, "NOT_THE_HOST");
    let stranger = server.guest().await;
    stranger.tells("/api/v1/watch", choice(false)).await.refused(400, "NOT_A_PARTICIPANT");
    anna.tells("/api/v1/watch", choice(false)).await.ok();
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 4504);
    }
    let told = ben.lobby.until("WATCH_CHOSEN").await.pop().expect("a frame");
    assert_eq!(told["allowed"], false);
    let share = ben.asks("/api/v1/watch").await.ok().clone();
    assert_eq!((&share["link"], &share["allowed"]), (&Value::Null, &json!(false)));
    server.get(&format!("/api/v1/watch/{link}"), ANONYMOUS).await.refused(404, "GAME_NOT_FOUND");
    server.handshake(&path(&link), ANONYMOUS).await.refused(404, "GAME_NOT_FOUND");
    anna.tells("/api/v1/watch", choice(true)).await.ok();
    // A pod that had spectators of it may need a moment.
    for pod in 0..server.site().ports().len() {
        eventually("the lobby can be watched", async || {
            let answer =
                server.site().at(pod).get(&format!("/api/v1/watch/{link}"), ANONYMOUS).await;
            (answer.status == 200 && answer.body["stage"] == "lobby").then_some(())
        })
        .await;
    }
    spectator(&server.site(), &link, ANONYMOUS).await;
    // A choice of the whole lobby from its opening on.
    let mut zoe = server.guest().await;
    zoe.queues_in("?invite_token=zzzzzzzzzz&watch=false").await;
    assert_eq!(zoe.asks("/api/v1/watch").await.ok()["allowed"], false);
    let bad = format!("{QUEUE_IN}{FRIENDS}&watch=perhaps");
    server.handshake(&bad, ANONYMOUS).await.refused(403, "VALIDATION_ERROR");
    // An open lobby is open.
    let open = json!({"game_id": stranger.game, "allowed": false});
    stranger.tells("/api/v1/watch", open).await.refused(404, "GAME_NOT_FOUND");
}

#[tokio::test]
async fn the_players_are_told_how_many_watch_on_all_pods() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    for player in [&mut anna, &mut ben] {
        player.knows_new_events();
    }
    let link = link(&anna).await;
    let mut sockets = Vec::new();
    for _ in 0..2 {
        sockets.extend(on_each_pod(&server, &link).await);
    }
    let all = sockets.len();
    for player in [&mut anna, &mut ben] {
        let mut told = Vec::new();
        loop {
            let frame = player.track().until("SPECTATORS").await.pop().expect("a frame");
            told.push(Instant::now());
            if frame["count"] == all {
                break;
            }
        }
        assert!(told.len() <= all, "only on change");
    }
    // A page that is loaded again is told, too; its pod may not have heard of all yet.
    ben.race().await;
    ben.knows_new_events();
    loop {
        let frame = ben.track().until("SPECTATORS").await.pop().expect("a frame");
        if frame["count"] == all {
            break;
        }
    }
    eventually("the number is known", async || {
        let share = anna.asks("/api/v1/watch").await;
        (share.ok()["spectators"] == all).then_some(())
    })
    .await;
    for (socket, _) in sockets {
        socket.close().await;
    }
    loop {
        let frame = anna.track().until("SPECTATORS").await.pop().expect("a frame");
        if frame["count"] == 0 {
            break;
        }
    }
}

#[tokio::test]
async fn a_race_has_so_many_spectators_and_no_more() {
    let settings = Server::with().embedded().set("handlers.watch.most_per_race", 2);
    let server = settings.set("game.player_limit", 1).start().await;
    let [anna] = server.race_of().await;
    let link = link(&anna).await;
    let (first, _) = spectator(&server.site(), &link, ANONYMOUS).await;
    let _second = spectator(&server.site(), &link, ANONYMOUS).await;
    server.handshake(&path(&link), ANONYMOUS).await.refused(429, "TOO_MANY_REQUESTS");
    first.close().await;
    eventually("there is a place", async || {
        let found = server.site().try_connect("a spectator", &path(&link), ANONYMOUS).await;
        found.ok().map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_player_who_watches_takes_no_socket_away_and_counts_once() {
    let settings = Server::with().embedded().set("game.player_limit", 1);
    let server = settings.set("limits.sockets_per_player", 2).start().await;
    let [mut anna] = server.race_of().await;
    let link = link(&anna).await;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(spectator(&server.site(), &link, &anna).await.0);
    }
    anna.track().is_alive().await;
    for socket in &mut sockets {
        socket.is_alive().await;
    }
    assert_eq!(server.get("/api/v1/online", ANONYMOUS).await.ok()["players"], 1);
}

#[tokio::test]
async fn thousands_of_messages_of_a_spectator_disturb_no_player() {
    let settings = Server::with().set("game.player_limit", 2).set("limits.frames_per_second", 60);
    let server = settings.start().await;
    let [mut anna, mut ben] = server.race_of().await;
    let link = link(&anna).await;
    let (mut loud, scene) = spectator(&server.site(), &link, ANONYMOUS).await;
    let (mut quiet, _) = spectator(&server.site(), &link, ANONYMOUS).await;
    // They do not read either.
    let mut deaf = Vec::new();
    for _ in 0..20 {
        deaf.push(spectator(&server.site(), &link, ANONYMOUS).await);
    }
    let stroke =
        json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": 1, "char_index": 1});
    let flood = (0..5_000).map(|_| Message::text(stroke.to_string()));
    loud.say_all(flood).await;
    anna.types(0, 0).await;
    ben.sees(&anna, 0, 0).await;
    sees(&mut quiet, &json!([seat(&scene, &anna), 0, 0])).await;
    assert!(matches!(loud.ended().await, None | Some(4429 | 4520)));
    anna.types(0, 1).await;
    ben.sees(&anna, 0, 1).await;
    sees(&mut quiet, &json!([seat(&scene, &anna), 0, 1])).await;
}

#[tokio::test]
async fn only_players_get_the_link_and_it_cannot_be_guessed() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let link = link(&anna).await;
    let stranger = server.guest().await;
    let path_of = |game: i64| format!("/api/v1/watch?game_id={game}");
    server.get(&path_of(anna.game), &stranger).await.refused(400, "NOT_A_PARTICIPANT");
    server.get(&path_of(anna.game), ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
    server.get(&path_of(999_999), &anna).await.refused(404, "GAME_NOT_FOUND");
    let own = server.get(&format!("/api/v1/watch/{link}"), ANONYMOUS).await;
    assert_eq!(own.ok()["stage"], "running");
    let guessed = format!("{}-{}", anna.game, "0".repeat(20));
    for bad in [guessed.as_str(), &anna.game.to_string(), &format!("{link}0"), "x", "9-9"] {
        let answer = server.get(&format!("/api/v1/watch/{bad}"), ANONYMOUS).await;
        answer.refused(404, "GAME_NOT_FOUND");
        server.handshake(&path(bad), ANONYMOUS).await.refused(404, "GAME_NOT_FOUND");
    }
    server.handshake("/api/v1/watch/live/ws", ANONYMOUS).await.refused(403, "VALIDATION_ERROR");
    // Another kind of link.
    anna.finishes(80.0).await;
    let replay = eventually("the race is recorded", async || {
        let answer = server.get(&format!("/api/v1/recordings?game_id={}", anna.game), &anna).await;
        answer.ok()["recordings"][0]["link"].as_str().map(ToOwned::to_owned)
    })
    .await;
    server.get(&format!("/api/v1/watch/{replay}"), ANONYMOUS).await.refused(404, "GAME_NOT_FOUND");
    server
        .get(&format!("/api/v1/recordings/{link}"), ANONYMOUS)
        .await
        .refused(404, "GAME_NOT_FOUND");
    // It leads there as long as the race can be read.
    let (mut socket, scene) = spectator(&server.site(), &link, ANONYMOUS).await;
    assert_eq!(scene["stage"], "over");
    socket.is_alive().await;
}
