//! A player racing again and again, whatever happens to the pods; faults are counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use reqwest::header::COOKIE;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::Outcome;
use crate::cluster::{self, Socket};

/// Between two keystrokes that are sent: a word each.
const WORD: Duration = Duration::from_secs(1);
/// Words of a race, as the settings of `rolling` have it.
pub const WORDS: usize = 20;
/// What a player looks at the result for.
const PAUSE: Duration = Duration::from_secs(3);
/// How long a player waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries where no pod answers.
const AGAIN: Duration = Duration::from_millis(250);

/// What all players have met.
#[derive(Default)]
pub struct Tally {
    pub handshakes: AtomicU64,
    pub ranked: AtomicU64,
    /// Races that could not be finished.
    pub lost: AtomicU64,
    /// Results that were refused.
    pub untaken: AtomicU64,
    /// Answers with 5xx.
    pub failures: AtomicU64,
    /// Requests and handshakes without an answer.
    pub broken: AtomicU64,
    pub is_over: AtomicBool,
    notes: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    fn note(&self, what: String) {
        *self.notes.lock().entry(what).or_default() += 1;
    }

    /// Prints it, and what went wrong how often.
    pub fn print(&self) {
        let count = |of: &AtomicU64| of.load(Relaxed);
        println!(
            "  races finished and ranked {}, lost {}; results not taken {}; 5xx {}; other failures {}",
            count(&self.ranked),
            count(&self.lost),
            count(&self.untaken),
            count(&self.failures),
            count(&self.broken),
        );
        for (what, times) in &*self.notes.lock() {
            println!("    {times} x {what}");
        }
    }
}

/// Has players come, evenly over that time; they race until it is over. Each tenth is a slow reader.
pub fn come(site: SocketAddr, tally: &Arc<Tally>, players: usize, over: Duration) -> JoinSet<()> {
    let mut racers = JoinSet::new();
    for number in 0..players {
        let delay = over.mul_f64(number as f64 / players as f64);
        let (tally, is_slow) = (tally.clone(), number % 10 == 0);
        racers.spawn(async move {
            sleep(delay).await;
            Racer { site, tally, cookie: None, game: 0, is_slow }.race_on().await;
        });
    }
    racers
}

struct Racer {
    site: SocketAddr,
    tally: Arc<Tally>,
    cookie: Option<String>,
    game: u64,
    is_slow: bool,
}

impl Racer {
    /// Races until it is over.
    async fn race_on(mut self) {
        while !self.tally.is_over.load(Relaxed) {
            match timeout(PATIENCE * 2, self.race()).await {
                Ok(Ok(())) => sleep(PAUSE).await,
                Ok(Err(error)) => self.loses(error.to_string()),
                Err(_) => self.loses("stuck".into()),
            }
        }
    }

    fn loses(&self, why: String) {
        self.tally.lost.fetch_add(1, Relaxed);
        self.tally.note(format!("race lost: {why}"));
    }

    async fn race(&mut self) -> Outcome<()> {
        self.waits().await?;
        let begun = self.types().await?;
        let characters = (WORDS * 6) as f64;
        let wpm = characters / 5.0 / (begun.elapsed().as_secs_f64() / 60.0);
        self.reports(&json!({"game_id": self.game, "wpm": wpm, "wpm_raw": wpm, "acc": 98.0}))
            .await?;
        let result = self.asks(&format!("/api/v1/game/result?game_id={}", self.game)).await?;
        let me = self.asks("/api/v1/profile/user-info").await?;
        let ranking = result["ranking"].as_array().ok_or("no ranking")?;
        let own = ranking.iter().find(|row| row["id"] == me["id"]).ok_or("not in the ranking")?;
        if own["rank"].as_u64().is_none_or(|rank| rank >= 99_999) {
            return Err("not ranked".into());
        }
        self.tally.ranked.fetch_add(1, Relaxed);
        Ok(())
    }

    /// In the lobby, up to GAME_START.
    async fn waits(&mut self) -> Outcome<()> {
        loop {
            let mut lobby = self.opens("/api/v1/lobby/queue-in/ws").await?;
            while let Some(Ok(message)) = lobby.next().await {
                let Some(frame) = read(&message) else { continue };
                match frame["event"].as_str() {
                    Some("INIT") => self.game = frame["game_id"].as_u64().ok_or("no game")?,
                    Some("GET_TOKEN") => {
                        let key = frame["guest_token_key"].as_str().ok_or("no key")?;
                        self.cookie = Some(self.takes_token(key).await?);
                    }
                    Some("GAME_START") => {
                        lobby.close(None).await?;
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
    }

    async fn takes_token(&self, key: &str) -> Outcome<String> {
        let path = format!("/api/v1/auth/guest-token?key={key}");
        let answer = self.sends(|http, site| http.get(format!("http://{site}{path}"))).await?;
        let cookie = answer.headers().get("set-cookie").ok_or("no cookie")?.to_str()?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// In the race, to the end of its text. Returns when it began.
    async fn types(&self) -> Outcome<Instant> {
        let path = format!("/api/v1/game/ws?game_id={}", self.game);
        for what in ["players", "countdown", "words"] {
            self.asks(&format!("/api/v1/game/{what}?game_id={}", self.game)).await?;
        }
        let (mut begun, mut word) = (None, 0);
        loop {
            let mut race = self.opens(&path).await?;
            let mut keys = interval(WORD);
            keys.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    message = race.next(), if !self.is_slow || !(3..8).contains(&word) => {
                        let Some(Ok(message)) = message else { break };
                        let Some(frame) = read(&message) else { continue };
                        if frame["event"] == "START" {
                            begun = Some(Instant::now());
                            // As the present frontend does.
                            let _ = race.close(None).await;
                            break;
                        }
                    }
                    _ = keys.tick(), if begun.is_some() => {
                        let stroke = json!({"event": "KEY_STOKE", "game_id": self.game, "word_index": word, "char_index": 0});
                        if race.send(Message::text(stroke.to_string())).await.is_err() {
                            break;
                        }
                        word += 1;
                        if word == WORDS {
                            let _ = race.close(None).await;
                            return begun.ok_or_else(|| "no START".into());
                        }
                    }
                }
            }
        }
    }

    /// Sends the result once, as the present frontend does: what is not taken is lost.
    async fn reports(&self, figures: &Value) -> Outcome<()> {
        let send = |http: &reqwest::Client, site: SocketAddr| {
            http.post(format!("http://{site}/api/v1/game/statistics")).json(figures)
        };
        let answer = self.sends(send).await?;
        if !answer.status().is_success() {
            self.tally.untaken.fetch_add(1, Relaxed);
            return Err(format!("result not taken: {}", answer.status()).into());
        }
        Ok(())
    }

    async fn asks(&self, path: &str) -> Outcome<Value> {
        let answer = self.sends(|http, site| http.get(format!("http://{site}{path}"))).await?;
        if !answer.status().is_success() {
            return Err(format!(
                "{}: {}",
                path.split('?').next().unwrap_or_default(),
                answer.status()
            )
            .into());
        }
        Ok(answer.json().await?)
    }

    async fn sends(
        &self,
        make: impl FnOnce(&reqwest::Client, SocketAddr) -> reqwest::RequestBuilder,
    ) -> Outcome<reqwest::Response> {
        let mut request = make(cluster::http(), self.site);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let answer = timeout(PATIENCE, request.send()).await?;
        let answer = answer.inspect_err(|_| {
            self.tally.broken.fetch_add(1, Relaxed);
        })?;
        if answer.status().is_server_error() {
            self.tally.failures.fetch_add(1, Relaxed);
            self.tally.note(format!("{} {}", answer.status(), answer.url().path()));
        }
        Ok(answer)
    }

    /// A socket, from whichever pod has one.
    async fn opens(&self, path: &str) -> Outcome<Socket> {
        let begun = Instant::now();
        loop {
            let why = match cluster::open(self.site, path, self.cookie.as_deref()).await {
                Ok(socket) => {
                    self.tally.handshakes.fetch_add(1, Relaxed);
                    return Ok(socket);
                }
                Err(why) => why,
            };
            match why.downcast_ref::<Error>() {
                Some(Error::Http(answer)) if answer.status().is_server_error() => {
                    self.tally.failures.fetch_add(1, Relaxed);
                    self.tally.note(format!("{} handshake", answer.status()));
                }
                Some(Error::Http(answer)) => {
                    return Err(format!("refused: {}", answer.status()).into());
                }
                _ => {
                    self.tally.broken.fetch_add(1, Relaxed);
                    self.tally.note(format!("handshake broken: {why}"));
                }
            }
            if begun.elapsed() > PATIENCE {
                return Err("no socket".into());
            }
            sleep(AGAIN).await;
        }
    }
}

fn read(message: &Message) -> Option<Value> {
    serde_json::from_str(message.to_text().ok()?).ok()
}
