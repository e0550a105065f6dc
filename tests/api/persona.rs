//! Players who do what a page does: queue in, take the token they are offered, race, report their figures.
//!
//! ```ignore
//! let mut anna = server.guest().await;
//! anna.lobby.expect("GAME_START").await;
//! anna.race().await;
//! anna.hears("START").await;
//! anna.types(0, 1).await;
//! anna.finishes(71.2).await;
//! ```

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::signing;
use crate::site::{ANONYMOUS, Answer, Site};
use crate::socket::Socket;

/// Where the lobby socket is.
pub const QUEUE_IN: &str = "/api/v1/lobby/queue-in/ws";

pub struct Player {
    /// In the story of the test, not on the server.
    pub name: String,
    /// As the server knows it.
    pub id: String,
    /// The value of the cookie `TP_AT`.
    pub token: String,
    /// The lobby, then the race, this player is in.
    pub game: i64,
    pub lobby: Socket,
    race: Option<Socket>,
    site: Site,
}

impl Player {
    /// A newcomer without a cookie, who takes the guest token offered.
    pub async fn guest(site: &Site) -> Self {
        let name = site.next_name();
        let mut lobby = site.connect(&name, QUEUE_IN, ANONYMOUS).await;
        let init = lobby.expect("INIT").await;
        let offer = lobby.expect("GET_TOKEN").await;
        lobby.expect("USER_JOINED").await;
        let token = fetch_token(site, &offer).await;
        Self::seated(site, name, token, &init, lobby)
    }

    /// A player with a given token.
    pub async fn known(site: &Site, token: String) -> Self {
        let name = site.next_name();
        let mut lobby = site.connect(&name, QUEUE_IN, &token).await;
        let init = lobby.expect("INIT").await;
        lobby.expect("USER_JOINED").await;
        Self::seated(site, name, token, &init, lobby)
    }

    fn seated(site: &Site, name: String, token: String, init: &Value, lobby: Socket) -> Self {
        let claims = signing::read(&token);
        let id = claims["sub"].as_str().expect("a subject").to_owned();
        Self { name, id, token, game: game_in(init), lobby, race: None, site: site.clone() }
    }

    /// Queues in again with the own cookie, as a reloaded page does; `query` begins with `?` or is empty.
    pub async fn queues_in(&mut self, query: &str) {
        self.lobby = self.another_lobby(query).await;
        self.game = game_in(&self.lobby.expect("INIT").await);
    }

    /// Goes to another server from now on.
    pub fn turns_to(&mut self, site: &Site) {
        self.site = site.clone();
    }

    /// A second lobby socket, as a second tab opens it; INIT is still to be heard.
    pub async fn another_lobby(&self, query: &str) -> Socket {
        self.site.connect(&self.name, &format!("{QUEUE_IN}{query}"), self).await
    }

    /// Opens the game socket; one that was open is dropped without a word.
    pub async fn race(&mut self) {
        self.race = None;
        self.race = Some(self.another_race().await);
    }

    /// A second game socket.
    pub async fn another_race(&self) -> Socket {
        self.site.connect(&self.name, &format!("/api/v1/game/ws?game_id={}", self.game), self).await
    }

    /// The open game socket.
    pub fn track(&mut self) -> &mut Socket {
        self.race.as_mut().unwrap_or_else(|| panic!("{} has no game socket", self.name))
    }

    /// Hands the game socket over, for instance to close it.
    pub fn leaves_track(&mut self) -> Socket {
        self.race.take().unwrap_or_else(|| panic!("{} has no game socket", self.name))
    }

    /// From now on the page of the race understands events that the present frontend does not know.
    pub fn knows_new_events(&mut self) {
        let track = self.leaves_track();
        self.race = Some(track.knows_new_events());
    }

    /// Sends a position.
    pub async fn types(&mut self, word: i64, char: i64) {
        let frame = json!({"event": "KEY_STOKE", "game_id": self.game, "word_index": word, "char_index": char});
        self.track().send(frame).await;
    }

    /// The positions of a player who types the text without mistakes, key by key.
    pub async fn strokes(&self) -> Vec<(i64, i64)> {
        let mut strokes = Vec::new();
        for (word, text) in (0..).zip(self.words().await) {
            let first = if word == 0 { 0 } else { -1 };
            let length = i64::try_from(text.len()).expect("a word");
            strokes.extend((first..length).map(|char| (word, char)));
        }
        strokes
    }

    /// Types these positions at a speed in words per minute.
    pub async fn types_at(&mut self, wpm: f64, strokes: &[(i64, i64)]) {
        let key = Duration::from_secs_f64(12.0 / wpm);
        let begun = Instant::now();
        for (number, (word, char)) in (1..).zip(strokes) {
            tokio::time::sleep_until(begun + key * number).await;
            self.types(*word, *char).await;
        }
    }

    /// Types the whole text, and returns the statistics that a page reports then.
    pub async fn types_all(&mut self, wpm: f64) -> Value {
        let (strokes, begun) = (self.strokes().await, Instant::now());
        self.types_at(wpm, &strokes).await;
        self.statistics(strokes.len(), begun.elapsed())
    }

    /// What a page reports that typed so many characters in that time, without a slip.
    pub fn statistics(&self, characters: usize, time: Duration) -> Value {
        let words = u32::try_from(characters).map(f64::from).expect("a short text") / 5.0;
        let wpm = words / (time.as_secs_f64() / 60.0);
        json!({"game_id": self.game, "wpm": wpm, "wpm_raw": wpm, "acc": 100.0})
    }

    /// How this player stands in the ranking.
    pub async fn standing(&self) -> Value {
        let ranking = self.ranking().await;
        ranking.into_iter().find(|row| row["id"] == self.id).expect("a participant")
    }

    /// The result is ranked.
    pub async fn is_ranked(&self) {
        let standing = self.standing().await;
        let rank = standing["rank"].as_u64().expect("a rank");
        assert!(rank < 99_999 && standing.get("unranked").is_none(), "{standing}");
    }

    /// The result is ranked, with these statistics as they are.
    pub async fn is_believed(&self, statistics: &Value) {
        self.is_ranked().await;
        let standing = self.standing().await;
        for figure in ["wpm", "wpm_raw", "acc"] {
            assert_eq!(standing[figure], statistics[figure], "{figure} of {standing}");
        }
    }

    /// The result is taken, but not ranked, and this is said of it.
    pub async fn is_unranked(&self, why: &str) {
        let standing = self.standing().await;
        assert!(standing["finished"].is_string(), "{standing}");
        assert_eq!((&standing["rank"], &standing["unranked"]), (&json!(99_999), &json!(why)));
    }

    /// The next frame of the race must be this event.
    pub async fn hears(&mut self, event: &str) -> Value {
        self.track().expect(event).await
    }

    /// The next frame of the race must be START. On a cluster a keystroke from another pod may come first.
    pub async fn starts(&mut self) {
        if self.site.ports().len() > 1 {
            self.track().until("START").await;
        } else {
            self.hears("START").await;
        }
    }

    /// The next frame of the race must be this player's position.
    pub async fn sees(&mut self, other: &Player, word: i64, char: i64) {
        let frame = self.hears("KEY_STOKE").await;
        assert_eq!(frame, other.stroke(word, char), "{} watches {}", self.name, other.name);
    }

    /// The frame by which the others hear of this player's position.
    pub fn stroke(&self, word: i64, char: i64) -> Value {
        json!({"event": "KEY_STOKE", "game_id": self.game, "user_id": self.id, "word_index": word, "char_index": char})
    }

    /// Reports figures that the server takes.
    pub async fn finishes(&self, wpm: f64) {
        self.posts(json!({"game_id": self.game, "wpm": wpm, "wpm_raw": wpm + 5.0, "acc": 97.5}))
            .await
            .ok();
    }

    /// Reports any figures.
    pub async fn posts(&self, statistics: Value) -> Answer {
        self.tells("/api/v1/game/statistics", statistics).await
    }

    /// Posts something as the player.
    pub async fn tells(&self, path: &str, body: Value) -> Answer {
        self.site.post(path, self, &body).await
    }

    /// GET with this player's cookie and game: `anna.asks("/api/v1/game/players")`.
    pub async fn asks(&self, path: &str) -> Answer {
        self.site.get(&format!("{path}?game_id={}", self.game), self).await
    }

    /// The ranking of this player's race, without grades, which may come a moment later.
    pub async fn ranking(&self) -> Vec<Value> {
        let answer = self.asks("/api/v1/game/result").await;
        let mut ranking = answer.ok()["ranking"].as_array().expect("a list").clone();
        ranking.iter_mut().for_each(without_record);
        ranking
    }

    /// The words of this player's race.
    pub async fn words(&self) -> Vec<String> {
        let answer = self.asks("/api/v1/game/words").await;
        answer.ok()["words"].as_str().expect("a text").split(' ').map(ToOwned::to_owned).collect()
    }

    /// The name on the server.
    pub fn public_name(&self) -> String {
        signing::read(&self.token)["name"].as_str().expect("a name").to_owned()
    }
}

/// Removes from a result what comes with its recording: the grade, and the place with bots.
pub fn without_record(result: &mut Value) {
    if let Some(fields) = result.as_object_mut() {
        fields.retain(|name, _| !["grade", "place", "racers"].contains(&name.as_str()));
    }
}

/// Exchanges the key of a GET_TOKEN frame for the token in the cookie.
pub async fn fetch_token(site: &Site, offer: &Value) -> String {
    let answer = site.get(&guest_token_path(offer), ANONYMOUS).await;
    answer.ok();
    answer.cookie("TP_AT").value
}

/// Where the key of a GET_TOKEN frame is exchanged.
pub fn guest_token_path(offer: &Value) -> String {
    let key = offer["guest_token_key"].as_str().unwrap_or_else(|| panic!("no key in {offer}"));
    format!("/api/v1/auth/guest-token?key={key}")
}

/// The game that a frame is about.
pub fn game_in(frame: &Value) -> i64 {
    frame["game_id"].as_i64().unwrap_or_else(|| panic!("no game in {frame}"))
}
