//! Recorded races: what was typed, on whatever pods, and the grade of the result.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::database::on_both;
use crate::device::Device;
use crate::persona::Player;
use crate::raw::Raw;
use crate::server::{Server, eventually};
use crate::site::{ANONYMOUS, Caller, Site};
use crate::socket::Socket;

/// The sub-protocol in which edits are sent.
const EDITS: &str = "typephoon.v2";

/// Milliseconds between keys: about 90 words per minute, as unevenly as a person types.
const PAUSES: [u64; 5] = [90, 190, 120, 150, 110];

/// Opens the race's socket with the sub-protocol, and hears how many edits the server has.
pub async fn socket_of_edits(server: &Server, player: &Player) -> (Socket, u64) {
    let cookie = format!("TP_AT={}", player.token);
    let headers = [("cookie", cookie.as_str()), ("sec-websocket-protocol", EDITS)];
    let path = format!("/api/v1/game/ws?game_id={}", player.game);
    let socket = server.site().connect_with(&player.name, &path, headers).await;
    let mut socket = socket.knows_new_events();
    let ack = socket.until("EDITS_ACK").await.pop().expect("a frame");
    assert_eq!(ack["again"], true);
    (socket, ack["seq"].as_u64().expect("a number"))
}

/// The edits of a text, key by key.
pub fn keys(text: &str) -> Vec<Value> {
    let mut at = 0;
    let key = |(pause, key): (&u64, char)| {
        at += pause;
        json!({"at": at, "ins": key.to_string()})
    };
    PAUSES.iter().cycle().zip(text.chars()).map(key).collect()
}

pub async fn send(socket: &mut Socket, game: i64, seq: usize, edits: &[Value]) {
    socket.send(json!({"event": "EDITS", "game_id": game, "seq": seq, "edits": edits})).await;
}

/// Waits until so many milliseconds after START.
pub async fn wait(start: Instant, edit: &Value) {
    let at = Duration::from_millis(edit["at"].as_u64().expect("a time"));
    tokio::time::sleep_until(start + at).await;
}

/// The figures of a text that was typed without a mistake.
pub fn claim(game: i64, edits: &[Value]) -> Value {
    let seconds = edits.last().expect("edits")["at"].as_f64().expect("a time") / 1000.0;
    let letters = u32::try_from(edits.len()).expect("a short text");
    let wpm = f64::from(letters) / 5.0 / (seconds / 60.0);
    json!({"game_id": game, "wpm": wpm, "wpm_raw": wpm, "acc": 100.0})
}

/// The recording of a player's race, once its result is in it.
pub async fn recording(site: &Site, caller: &impl Caller, game: i64) -> Value {
    let path = format!("/api/v1/recordings?game_id={game}");
    eventually("the result is recorded", async || {
        let answer = site.get(&path, caller).await;
        let own = answer.ok()["recordings"][0].clone();
        own["grade"].is_string().then_some(own)
    })
    .await
}

/// The replay of a recording, as anyone sees it.
pub async fn replay(site: &Site, recording: &Value) -> Value {
    let path = format!("/api/v1/recordings/{}", recording["link"].as_str().expect("a link"));
    site.get(&path, ANONYMOUS).await.ok().clone()
}

fn text_of(edits: &Value) -> String {
    edits.as_array().expect("edits").iter().filter_map(|it| it["ins"].as_str()).collect()
}

#[tokio::test]
async fn edits_are_verified_and_others_see_positions() {
    on_both(async |database| {
        let settings = database.settings().set("game.player_limit", 2).set("game.word_count", 6);
        let server = settings.start().await;
        let [mut anna, mut ben] = server.lobby_of::<2>().await;
        for player in [&mut anna, &mut ben] {
            player.lobby.until("GAME_START").await;
        }
        let (mut socket, known) = socket_of_edits(&server, &anna).await;
        assert_eq!(known, 0);
        ben.race().await;
        socket.until("START").await;
        let start = Instant::now();
        ben.starts().await;
        let text = anna.words().await.join(" ");
        let edits = keys(&text);
        let strokes = anna.strokes().await;
        for (number, edit) in edits.iter().enumerate() {
            wait(start, edit).await;
            send(&mut socket, anna.game, number, &edits[number..=number]).await;
            // The first format knows nothing of it.
            let (word, char) = strokes[number];
            let seen = ben.track().until("KEY_STOKE").await.pop().expect("a frame");
            assert_eq!(seen, anna.stroke(word, char));
        }
        let claimed = claim(anna.game, &edits);
        anna.posts(claimed.clone()).await.ok();
        let own = recording(&server, &anna, anna.game).await;
        assert_eq!((&own["grade"], &own["reason"]), (&json!("verified"), &Value::Null), "{own}");
        assert_eq!(own["wpm"], claimed["wpm"], "to the last digit");

        // Ben sends positions, as the present frontend does.
        let statistics = ben.types_all(150.0).await;
        ben.posts(statistics).await.ok();
        let his = recording(&server, &ben, ben.game).await;
        assert_eq!((&his["grade"], &his["reason"]), (&json!("positions"), &json!("no_edits")));
        let replay = replay(&server, &his).await;
        assert_eq!(replay["words"], text);
        let players = replay["players"].as_array().expect("players");
        assert_eq!((players.len(), text_of(&players[0]["edits"])), (2, text.clone()));
        assert_eq!(players[1]["positions"].as_array().map(Vec::len), Some(text.len()));
        assert!(!replay.to_string().contains(&anna.id), "no ids");
    })
    .await;
}

#[tokio::test]
async fn the_grade_and_the_place_with_bots_stand_beside_every_result() {
    on_both(async |database| {
        let settings = database.settings().set("auth.local", true).set("game.player_limit", 3);
        let server = settings.start().await;
        let device = Device::of_new_account(&server, "Ada").await;
        let [ben, cleo] = [server.guest().await, server.guest().await];
        let ada = Player::known(&server.site(), device.access.clone()).await;
        let [mut ben, mut ada, mut cleo] = [ben, ada, cleo];
        for player in [&mut ben, &mut ada, &mut cleo] {
            player.lobby.until("GAME_START").await;
            player.race().await;
            player.hears("START").await;
        }
        ben.finishes(50.0).await;
        ada.finishes(60.0).await;
        let path = format!("/api/v1/game/result?game_id={}", ada.game);
        eventually("the grades", async || {
            let answer = server.get(&path, &ada).await;
            let ranking = &answer.ok()["ranking"];
            assert_eq!(ranking[2]["id"], cleo.id);
            assert_eq!(ranking[2].get("grade"), None, "without a result there is no grade");
            (0..2).all(|place| ranking[place]["grade"] == "claimed").then_some(())
        })
        .await;
        let history = server.get("/api/v1/profile/history?page=1&size=50", &device).await;
        let row = &history.ok()["data"][0];
        assert_eq!(
            (&row["grade"], &row["rank"], &row["place"], &row["racers"]),
            (&json!("claimed"), &json!(2), &json!(2), &json!(3))
        );
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_repeats_no_edit_and_loses_none() {
    let server = Server::with().set("game.player_limit", 1).set("game.word_count", 6).start().await;
    let [mut anna] = server.lobby_of::<1>().await;
    anna.lobby.until("GAME_START").await;
    let (mut socket, _) = socket_of_edits(&server, &anna).await;
    socket.until("START").await;
    let start = Instant::now();
    let edits = keys(&anna.words().await.join(" "));
    let middle = edits.len() / 2;
    wait(start, &edits[middle]).await;
    send(&mut socket, anna.game, 0, &edits[..middle]).await;
    // A gap is not filled by what comes after it.
    send(&mut socket, anna.game, middle + 1, &edits[middle + 1..middle + 3]).await;
    loop {
        let ack = socket.until("EDITS_ACK").await.pop().expect("a frame");
        assert_eq!(ack["seq"], middle);
        if ack["again"] == true {
            break;
        }
    }
    drop(socket);
    // On whatever pod: it says what it has, and gets the rest.
    let (mut socket, known) = socket_of_edits(&server, &anna).await;
    let known = usize::try_from(known).expect("a count");
    assert!(known == 0 || known == middle, "{known}");
    for edit in &edits[middle..] {
        wait(start, edit).await;
    }
    // Some of them once more.
    send(&mut socket, anna.game, known, &edits[known..]).await;
    send(&mut socket, anna.game, known.saturating_sub(2), &edits[known.saturating_sub(2)..]).await;
    let ack = socket.until("EDITS_ACK").await.pop().expect("a frame");
    assert_eq!((&ack["seq"], &ack["again"]), (&json!(edits.len()), &json!(false)));
    anna.posts(claim(anna.game, &edits)).await.ok();
    let own = recording(&server, &anna, anna.game).await;
    assert_eq!(own["grade"], "verified", "{own}");
    let replay = replay(&server, &own).await;
    assert_eq!(replay["players"][0]["edits"], json!(edits));
}

#[tokio::test]
async fn a_claim_that_differs_from_what_was_typed_is_corrected() {
    let settings = Server::with().set("game.player_limit", 1).set("game.word_count", 6);
    let server = settings.set("game.check_results", true).start().await;
    let [mut anna] = server.lobby_of::<1>().await;
    anna.lobby.until("GAME_START").await;
    let (mut socket, _) = socket_of_edits(&server, &anna).await;
    socket.until("START").await;
    let start = Instant::now();
    let text = anna.words().await.join(" ");
    // A wrong letter, put right: 100 percent are claimed all the same, and a little more speed.
    let mut edits = vec![json!({"at": 30, "ins": "#"}), json!({"at": 70, "del": 1})];
    edits.extend(keys(&text));
    wait(start, edits.last().expect("edits")).await;
    send(&mut socket, anna.game, 0, &edits).await;
    let honest = claim(anna.game, &edits[2..]);
    let mut claimed = honest.clone();
    claimed["wpm"] = json!(honest["wpm"].as_f64().expect("a number") + 1.0);
    anna.posts(claimed).await.ok();
    let own = recording(&server, &anna, anna.game).await;
    assert_eq!((&own["grade"], &own["wpm"]), (&json!("verified"), &honest["wpm"]), "{own}");
    let keys = f64::from(u32::try_from(text.len()).expect("a short text"));
    assert_eq!(own["acc"], json!(keys / (keys + 1.0) * 100.0));
    assert_eq!(anna.standing().await["acc"], own["acc"], "in the result, too");
}

#[tokio::test]
async fn a_program_that_types_evenly_is_not_verified_and_told_why() {
    let server = Server::with().set("game.player_limit", 1).set("game.word_count", 8).start().await;
    let [mut anna] = server.lobby_of::<1>().await;
    anna.lobby.until("GAME_START").await;
    let (mut socket, _) = socket_of_edits(&server, &anna).await;
    socket.until("START").await;
    let start = Instant::now();
    let text = anna.words().await.join(" ");
    let edits: Vec<_> = (1..)
        .zip(text.chars())
        .map(|(number, key)| json!({"at": number * 60, "ins": key.to_string()}))
        .collect();
    wait(start, edits.last().expect("edits")).await;
    send(&mut socket, anna.game, 0, &edits).await;
    anna.posts(claim(anna.game, &edits)).await.ok();
    let own = recording(&server, &anna, anna.game).await;
    assert_eq!((&own["grade"], &own["reason"]), (&json!("positions"), &json!("signals")));
    assert_eq!(own["signals"], json!(["too_even"]));
}

#[tokio::test]
async fn a_claim_without_keys_is_called_one() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    anna.finishes(80.0).await;
    let own = recording(&server, &anna, anna.game).await;
    assert_eq!((&own["grade"], &own["reason"]), (&json!("claimed"), &json!("not_seen")));
}

#[tokio::test]
async fn recordings_are_listed_for_their_player_and_go_with_the_account() {
    on_both(async |database| {
        let settings = database.settings().set("auth.local", true).set("game.player_limit", 1);
        let server = settings.set("game.word_count", 4).start().await;
        let device = Device::of_new_account(&server, "Anna").await;
        let mut games = Vec::new();
        for _ in 0..3 {
            let mut anna = Player::known(&server.site(), device.access.clone()).await;
            anna.lobby.until("GAME_START").await;
            anna.race().await;
            anna.hears("START").await;
            let statistics = anna.types_all(200.0).await;
            anna.posts(statistics).await.ok();
            recording(&server, &device, anna.game).await;
            games.push(anna.game);
        }
        let page = server.get("/api/v1/recordings?size=2", &device).await;
        let page = page.ok();
        let listed = |page: &Value| {
            let rows = page["recordings"].as_array().expect("rows").clone();
            rows.iter().filter_map(|row| row["game_id"].as_i64()).collect::<Vec<_>>()
        };
        assert_eq!(listed(page), [games[2], games[1]]);
        let next = page["next"].as_str().expect("a cursor");
        let rest = server.get(&format!("/api/v1/recordings?size=2&cursor={next}"), &device).await;
        assert_eq!((listed(rest.ok()), &rest.ok()["next"]), (vec![games[0]], &Value::Null));
        let stranger = server.guest().await;
        assert_eq!(server.get("/api/v1/recordings", &stranger).await.ok()["recordings"], json!([]));

        let export = server.get("/api/v1/profile/export", &device).await;
        let items = export.ok()["items"]["recorder.recordings"].as_array().expect("items").len();
        assert_eq!(items, 3);
        let own = recording(&server, &device, games[0]).await;
        let gone = server.request(reqwest::Method::DELETE, "/api/v1/profile", &device);
        server.send(gone).await.ok();
        let path = format!("/api/v1/recordings/{}", own["link"].as_str().expect("a link"));
        server.get(&path, ANONYMOUS).await.refused(404, "GAME_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn links_cannot_be_guessed_and_queries_have_their_limits() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    anna.finishes(80.0).await;
    let link = recording(&server, &anna, anna.game).await["link"].as_str().unwrap().to_owned();
    let other = format!("{}-{}", anna.game, "0".repeat(20));
    for bad in [&other, &anna.game.to_string(), &format!("{link}0"), "x", "-", "9-9"] {
        let answer = server.get(&format!("/api/v1/recordings/{bad}"), ANONYMOUS).await;
        answer.refused(404, "GAME_NOT_FOUND");
    }
    server.get("/api/v1/recordings", ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
    for bad in ["size=0", "size=101", "game_id=x", "cursor=1"] {
        let answer = server.get(&format!("/api/v1/recordings?{bad}"), &anna).await;
        answer.refused(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_frame_of_edits_that_is_none_is_dropped() {
    let server = Server::for_one().await;
    let [mut anna] = server.race_of().await;
    anna.knows_new_events();
    let game = anna.game;
    let many = vec![json!({"at": 1, "ins": "a"}); 129];
    for bad in [
        json!({"seq": 0, "edits": []}),
        json!({"seq": 0, "edits": many}),
        json!({"seq": -1, "edits": [{"at": 1, "ins": "a"}]}),
        json!({"seq": 0, "edits": [{"ins": "a"}]}),
        json!({"seq": 0, "edits": [{"at": 1, "ins": "a".repeat(65)}]}),
        json!({"seq": 0, "edits": [{"at": 1, "del": 9_999}]}),
        json!({"seq": 0}),
    ] {
        let mut frame = json!({"event": "EDITS", "game_id": game});
        frame.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        anna.track().say(Message::text(frame.to_string())).await;
    }
    // The socket is still open, and nothing was taken.
    let frame =
        json!({"event": "EDITS", "game_id": game, "seq": 1, "edits": [{"at": 1, "ins": "a"}]});
    anna.track().send(frame).await;
    let ack = anna.track().until("EDITS_ACK").await.pop().unwrap();
    assert_eq!((&ack["seq"], &ack["again"]), (&json!(0), &json!(true)));
}

#[tokio::test]
async fn a_sub_protocol_is_chosen_only_if_it_is_asked_for_and_spoken() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    let path = format!("/api/v1/game/ws?game_id={}", anna.game);
    let chosen = async |asked: &str| {
        let mut raw = Raw::connect(server.site().port()).await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\ncookie: TP_AT={}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{asked}\r\n",
            anna.token,
        );
        let answer = raw.send(request).await.answer().await;
        assert_eq!(answer.status, 101, "{answer:?}");
        let named = answer.head.split("sec-websocket-protocol: ").nth(1);
        named.and_then(|it| it.split("\r\n").next()).map(str::to_owned)
    };
    assert_eq!(chosen("").await, None);
    assert_eq!(chosen("sec-websocket-protocol: chat\r\n").await, None);
    let both = "sec-websocket-protocol: chat, typephoon.v2\r\n";
    assert_eq!(chosen(both).await, Some(EDITS.to_owned()));
}
