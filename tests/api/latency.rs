//! The latency of a connection costs a player neither speed nor rank.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, timeout_at};

use crate::persona::Player;
use crate::proxy::{Proxy, Way};
use crate::server::Server;
use crate::site::Site;
use crate::socket::Socket;

/// From the client to the server, and back again.
const NEAR: Duration = Duration::from_millis(10);
const FAR: Duration = Duration::from_millis(100);

/// Milliseconds between keys, as a person types them.
const PAUSES: [u64; 5] = [90, 190, 120, 150, 110];

/// A player about to race, behind a connection with a latency.
struct Typist {
    player: Player,
    socket: Socket,
    _way: Proxy,
}

impl Typist {
    /// On the pod with this number, if there are several.
    async fn at(server: &Server, pod: usize, latency: Duration, protocol: &str) -> Self {
        let site = server.site();
        let ports = site.ports();
        let way = Proxy::to(ports[pod % ports.len()]).await;
        let site = Site::new(way.port());
        let mut player = Player::guest(&site).await;
        player.lobby.until("GAME_START").await;
        way.is(Way::Late(latency));
        let cookie = format!("TP_AT={}", player.token);
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(Some(("sec-websocket-protocol", protocol)).filter(|_| !protocol.is_empty()));
        let path = format!("/api/v1/game/ws?game_id={}", player.game);
        let socket = site.connect_with(&player.name, &path, headers).await.knows_new_events();
        let mut typist = Self { player, socket, _way: way };
        // The ping at the opening is answered as fast as it comes.
        typist.hears_until(Instant::now() + FAR * 4).await;
        typist
    }

    /// Waits, and answers pings as a browser does meanwhile.
    async fn hears_until(&mut self, at: Instant) {
        while timeout_at(at, self.socket.hear("anything")).await.is_ok() {}
    }

    /// Types the text from START on, with edits of these times, and claims what they amount to.
    async fn races(&mut self, keys: &[(u64, char)]) {
        self.socket.until("START").await;
        let (start, game) = (Instant::now(), self.player.game);
        for (seq, (at, key)) in keys.iter().enumerate() {
            self.hears_until(start + Duration::from_millis(*at)).await;
            let edits = json!([{"at": at, "ins": key.to_string()}]);
            let frame = json!({"event": "EDITS", "game_id": game, "seq": seq, "edits": edits});
            self.socket.send(frame).await;
        }
        self.claims(keys).await;
    }

    /// The same as positions: the server does not know when the keys were pressed.
    async fn races_by_positions(&mut self, keys: &[(u64, char)]) {
        let strokes = self.player.strokes().await;
        self.socket.until("START").await;
        let (start, game) = (Instant::now(), self.player.game);
        for ((at, _), (word, char)) in keys.iter().zip(strokes) {
            self.hears_until(start + Duration::from_millis(*at)).await;
            let frame = json!({"event": "KEY_STOKE", "game_id": game, "word_index": word, "char_index": char});
            self.socket.send(frame).await;
        }
        self.claims(keys).await;
    }

    async fn claims(&self, keys: &[(u64, char)]) {
        let (last, _) = keys.last().expect("keys");
        let time = Duration::from_millis(*last);
        let statistics = self.player.statistics(keys.len(), time);
        self.player.posts(statistics).await.ok();
    }

    async fn keys(&self, later: i64) -> Vec<(u64, char)> {
        keys(&self.player.words().await.join(" "), later)
    }
}

/// The keys of a text with their times since START; the last one comes so many milliseconds later or earlier.
fn keys(text: &str, later: i64) -> Vec<(u64, char)> {
    let times = PAUSES.iter().cycle().scan(0, |at, pause| {
        *at += pause;
        Some(*at)
    });
    let mut keys: Vec<_> = times.zip(text.chars()).collect();
    let last = keys.last_mut().expect("a text");
    last.0 = last.0.saturating_add_signed(later);
    keys
}

fn finished(standing: &Value) -> OffsetDateTime {
    let at = standing["finished"].as_str().expect("a time");
    OffsetDateTime::parse(at, &Rfc3339).unwrap_or_else(|error| panic!("{at}: {error}"))
}

async fn server() -> Server {
    let settings = Server::with().set("game.check_results", true).set("game.player_limit", 2);
    settings.set("game.word_count", 6).set("game.start_countdown", 3).start().await
}

/// A race of a near and a far player; the far one is quicker by so many milliseconds.
async fn race(protocol: &str, quicker: i64) -> (Value, Value) {
    let server = server().await;
    let near = Typist::at(&server, 0, NEAR, protocol);
    let far = Typist::at(&server, 1, FAR, protocol);
    let (mut near, mut far) = tokio::join!(near, far);
    assert_eq!(near.player.game, far.player.game, "one race");
    let (of_near, of_far) = (near.keys(0).await, far.keys(-quicker).await);
    if protocol.is_empty() {
        tokio::join!(near.races_by_positions(&of_near), far.races_by_positions(&of_far));
    } else {
        tokio::join!(near.races(&of_near), far.races(&of_far));
    }
    let standings = (near.player.standing().await, far.player.standing().await);
    let [(near_wpm, near_keys), (far_wpm, far_keys)] =
        [(&standings.0, &of_near), (&standings.1, &of_far)].map(|(standing, keys)| {
            (standing["wpm"].as_f64().expect("a speed"), keys.last().expect("keys").0)
        });
    assert!(
        (near_wpm * to_f64(near_keys) - far_wpm * to_f64(far_keys)).abs()
            < 1e-3 * near_wpm * to_f64(near_keys),
        "speeds are those of the keys: {standings:?}"
    );
    standings
}

fn to_f64(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::NAN, f64::from)
}

#[tokio::test]
async fn two_players_who_type_alike_come_out_alike_whatever_their_latency() {
    let mut apart = Vec::new();
    // A busy machine delays one race or another.
    for _ in 0..4 {
        let (near, far) = race("typephoon.v2", 0).await;
        let between = (finished(&near) - finished(&far)).abs();
        if between <= Duration::from_millis(10) {
            return;
        }
        apart.push(between);
    }
    panic!("{apart:?} apart");
}

#[tokio::test]
async fn the_faster_typist_wins_although_the_keys_come_later() {
    // The far player's last key comes 180 ms later than if it were near, and so 120 ms after the other's.
    for protocol in ["typephoon.v2", ""] {
        let mut lost = Vec::new();
        loop {
            let (near, far) = race(protocol, 60).await;
            if (&far["rank"], &near["rank"]) == (&json!(1), &json!(2)) {
                break;
            }
            lost.push((near, far));
            assert!(lost.len() < 4, "{protocol}: {lost:?}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_claimed_beyond_the_round_trip_wins_nothing() {
    let server = server().await;
    let cheat = Typist::at(&server, 0, NEAR, "typephoon.v2");
    let honest = Typist::at(&server, 1, NEAR, "typephoon.v2");
    let (mut cheat, mut honest) = tokio::join!(cheat, honest);
    let keys = honest.keys(0).await;
    let lie = async {
        cheat.socket.until("START").await;
        let (start, game) = (Instant::now(), cheat.player.game);
        let (last, _) = keys.last().expect("keys");
        // Through 200 ms after the other one, and says half a second before.
        cheat.hears_until(start + Duration::from_millis(last + 200)).await;
        let edits = keys
            .iter()
            .map(|(at, key)| json!({"at": at * (last - 500) / last, "ins": key.to_string()}));
        let edits: Vec<_> = edits.collect();
        let frame = json!({"event": "EDITS", "game_id": game, "seq": 0, "edits": edits});
        cheat.socket.send(frame).await;
        cheat.claims(&keys).await;
    };
    tokio::join!(lie, honest.races(&keys));
    assert_eq!(honest.player.standing().await["rank"], 1);
    assert_eq!(cheat.player.standing().await["rank"], 2);
}
