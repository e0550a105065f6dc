//! Ten clients that cheat in ten ways: each one is corrected, not ranked, or graded lower than an honest one.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::persona::Player;
use crate::recorder::{recording, replay, socket_of_edits};
use crate::server::{Server, Settings, eventually};
use crate::socket::Socket;

/// A client in a race of its own.
struct Cheat<'a> {
    server: &'a Server,
    player: Player,
    socket: Socket,
    text: String,
    start: Instant,
}

fn settings() -> Settings {
    let settings = Server::with().set("game.player_limit", 1).set("game.check_results", true);
    settings.set("game.word_count", 12)
}

impl<'a> Cheat<'a> {
    async fn new(server: &'a Server) -> Self {
        let [player] = server.lobby_of::<1>().await;
        Self::races(server, player).await
    }

    async fn races(server: &'a Server, mut player: Player) -> Self {
        player.lobby.until("GAME_START").await;
        let (mut socket, _) = socket_of_edits(server, &player).await;
        socket.until("START").await;
        let start = Instant::now();
        let text = player.words().await.join(" ");
        Self { server, player, socket, text, start }
    }

    /// The same player's next race.
    async fn again(self) -> Self {
        let Self { server, mut player, .. } = self;
        player.queues_in("").await;
        Self::races(server, player).await
    }

    /// Sends the edits, each at its time, or all of them so long after START.
    async fn sends(&mut self, edits: &[Value], at_once: Option<Duration>) {
        for (seq, edit) in edits.iter().enumerate() {
            let at = Duration::from_millis(edit["at"].as_u64().expect("a time"));
            tokio::time::sleep_until(self.start + at_once.unwrap_or(at)).await;
            let frame =
                json!({"event": "EDITS", "game_id": self.player.game, "seq": seq, "edits": [edit]});
            self.socket.send(frame).await;
            // At most as many frames as a socket may send.
            if at_once.is_some() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    async fn claims(&self, wpm: f64, acc: f64) {
        let claim = json!({"game_id": self.player.game, "wpm": wpm, "wpm_raw": wpm, "acc": acc});
        self.player.posts(claim).await.ok();
    }

    /// What was sent, as the client would claim it.
    async fn claims_honestly(&self, edits: &[Value]) {
        let (letters, last) = (self.text.len(), edits.last().expect("edits"));
        let minutes = last["at"].as_f64().expect("a time") / 60_000.0;
        let letters = f64::from(u32::try_from(letters).expect("a text"));
        self.claims(letters / 5.0 / minutes, 100.0).await;
    }

    async fn graded(&self) -> Value {
        recording(self.server, &self.player, self.player.game).await
    }

    /// The recording is graded so, for this reason, with these signals.
    async fn is_graded(&self, grade: &str, reason: &str, signals: &[&str]) {
        let own = self.graded().await;
        let found = (&own["grade"], &own["reason"], &own["signals"]);
        assert_eq!(found, (&json!(grade), &json!(reason), &json!(signals)), "{own}");
    }
}

/// The keys of a text, with these pauses between them.
fn keys(text: &str, pause: impl Fn(usize) -> u64) -> Vec<Value> {
    let mut at = 0;
    let key = |(number, key): (usize, char)| {
        at += pause(number);
        json!({"at": at, "ins": key.to_string()})
    };
    text.chars().enumerate().map(key).collect()
}

/// Milliseconds between the keys of a person.
fn unevenly(number: usize) -> u64 {
    const PAUSES: [u64; 11] = [90, 190, 120, 150, 70, 210, 60, 130, 100, 170, 85];
    PAUSES[number * number % PAUSES.len()] + number as u64 % 7 * 3
}

/// Claims a result without a key.
async fn types_nothing(server: &Server) {
    let cheat = Cheat::new(server).await;
    cheat.claims(180.0, 100.0).await;
    cheat.player.is_unranked("KEYSTROKES_NOT_SEEN").await;
    cheat.is_graded("claimed", "not_seen", &[]).await;
}

/// Types, and claims more speed than that and no mistake.
async fn boasts(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let mut edits = vec![json!({"at": 50, "ins": "#"}), json!({"at": 90, "del": 1})];
    edits.extend(keys(&cheat.text, unevenly).into_iter().map(|mut edit| {
        edit["at"] = json!(edit["at"].as_u64().expect("a time") + 90);
        edit
    }));
    cheat.sends(&edits, None).await;
    cheat.claims(350.0, 100.0).await;
    let own = cheat.graded().await;
    let wpm = own["wpm"].as_f64().expect("a speed");
    assert!(wpm < 150.0 && own["acc"].as_f64() < Some(100.0), "corrected: {own}");
    assert_eq!(cheat.player.standing().await["wpm"], own["wpm"], "in the result, too");
}

/// Types with the same pause each time.
async fn is_even(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let edits = keys(&cheat.text, |_| 90);
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    cheat.is_graded("positions", "signals", &["too_even"]).await;
}

/// The same, with a little jitter.
async fn is_nearly_even(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let edits = keys(&cheat.text, |number| 85 + (number as u64 * 7) % 19);
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    cheat.is_graded("positions", "signals", &["too_even"]).await;
}

/// Waits, and pastes the text.
async fn pastes(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let whole: Vec<_> = cheat.text.chars().collect();
    let parts =
        whole.chunks(60).map(|part| json!({"at": 4_000, "ins": part.iter().collect::<String>()}));
    let edits: Vec<_> = parts.collect();
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    let own = cheat.graded().await;
    assert_ne!(own["grade"], "verified", "{own}");
    assert!(own["signals"].as_array().expect("a list").contains(&json!("pasted")), "{own}");
}

/// Types faster than any person.
async fn is_superhuman(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let edits = keys(&cheat.text, |number| unevenly(number) / 4);
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    let own = cheat.graded().await;
    assert_ne!(own["grade"], "verified", "{own}");
    assert!(own["wpm"].as_f64() < Some(400.0), "no more than keys can be: {own}");
}

/// Says that it took half of the time.
async fn turns_the_clock_back(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let edits = keys(&cheat.text, unevenly);
    let halved =
        |edit: &Value| json!({"at": edit["at"].as_u64().expect("a time") / 2, "ins": edit["ins"]});
    let halved: Vec<_> = edits.iter().map(halved).collect();
    let last = edits.last().expect("edits")["at"].as_u64().expect("a time");
    cheat.sends(&halved, Some(Duration::from_millis(last))).await;
    cheat.claims_honestly(&halved).await;
    cheat.is_graded("positions", "clock_off", &[]).await;
}

/// Leaves out most of the text.
async fn skips(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let end = cheat.text.rfind(' ').expect("words");
    let start = cheat.text.find(' ').expect("words");
    let text = format!("{}{}", &cheat.text[..start], &cheat.text[end..]);
    let edits = keys(&text, unevenly);
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    let own = cheat.graded().await;
    assert_ne!(own["grade"], "verified", "{own}");
    assert_eq!(own["rank"], Value::Null, "{own}");
}

/// Types the next text at the moments of its own race before.
async fn replays_itself(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let edits = keys(&cheat.text, unevenly);
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    assert_eq!(cheat.graded().await["grade"], "verified", "the first time it is a race");
    let mut cheat = cheat.again().await;
    let edits = keys(&cheat.text, |number| unevenly(number) + number as u64 % 2);
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    cheat.is_repeated().await;
}

/// Types at the moments of another player's replay.
async fn replays_another(server: &Server) {
    let mut cheat = Cheat::new(server).await;
    let edits = keys(&cheat.text, |number| unevenly(number + 3));
    cheat.sends(&edits, None).await;
    cheat.claims_honestly(&edits).await;
    let seen = replay(cheat.server, &cheat.graded().await).await;
    let times = seen["players"][0]["edits"].as_array().expect("edits").clone();
    let [player] = server.lobby_of::<1>().await;
    let mut copy = Cheat::races(server, player).await;
    let at = |number: usize| times.get(number).and_then(|it| it["at"].as_u64());
    let edits = keys(&copy.text, |number| match (at(number), number.checked_sub(1).and_then(at)) {
        (Some(at), before) => at - before.unwrap_or_default(),
        _ => 120,
    });
    copy.sends(&edits, None).await;
    copy.claims_honestly(&edits).await;
    copy.is_repeated().await;
}

impl Cheat<'_> {
    async fn is_repeated(&self) {
        eventually("the log is compared", async || {
            let own = self.graded().await;
            let signals = own["signals"].as_array().expect("a list");
            signals.contains(&json!("repeated")).then_some(())
        })
        .await;
        assert_eq!(self.graded().await["grade"], "positions");
    }
}

#[tokio::test]
async fn programs_that_type_are_graded_lower() {
    let server = &settings().start().await;
    tokio::join!(is_even(server), is_nearly_even(server), pastes(server), is_superhuman(server));
}

#[tokio::test]
async fn claims_beyond_what_was_typed_are_corrected_or_not_ranked() {
    let server = &settings().start().await;
    tokio::join!(
        types_nothing(server),
        boasts(server),
        skips(server),
        turns_the_clock_back(server)
    );
}

#[tokio::test]
async fn a_log_counts_once() {
    let server = &settings().start().await;
    replays_itself(server).await;
    replays_another(server).await;
}
