//! Players who type, and see the others type.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::cluster::Player;
use crate::{Outcome, broker};

/// Positions that a player goes through: a word each.
const POSITIONS: usize = 500;
/// Time for the last frames to arrive.
const DRAIN: Duration = Duration::from_secs(1);
/// Those who see a keystroke: the others of a race of five.
const OPPONENTS: u64 = 4;

/// When each position of every player was sent, in microseconds since the beginning.
type Sent = Arc<HashMap<String, Vec<AtomicU64>>>;

pub struct Raced {
    pub keystrokes: u64,
    /// Frames that should have arrived.
    pub expected: u64,
    /// Those that did not. A player's newest replaces the one before where somebody is slow.
    pub lost: u64,
    /// From the first to the last keystroke.
    pub took: Duration,
    /// Microseconds, sorted.
    latencies: Vec<u64>,
}

impl Raced {
    /// In milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len() - 1);
        self.latencies[index] as f64 / 1000.0
    }
}

/// When a player begins: in golden-ratio steps, so that neighbours are far from each other.
pub fn phase(number: usize, rate: u32) -> Duration {
    (Duration::from_secs(1) / rate).mul_f64((number as f64 * 0.618_033_988_749_895).fract())
}

/// Has everybody type. Returns what came of it, and the broker's CPU time meanwhile.
pub async fn run(players: Vec<Player>, rate: u32, span: Duration) -> Outcome<(Raced, Duration)> {
    let positions = || (0..POSITIONS).map(|_| AtomicU64::new(0)).collect();
    let sent: Sent = Arc::new(players.iter().map(|it| (it.user.clone(), positions())).collect());
    let before = broker::cpu()?;
    let start = Instant::now();
    let mut typists = JoinSet::new();
    for (number, player) in players.into_iter().enumerate() {
        let typist = Typist { player, sent: sent.clone(), start, end: start + span };
        typists.spawn(typist.race(phase(number, rate), Duration::from_secs(1) / rate));
    }
    sleep(span).await;
    let (took, busy) = (start.elapsed(), broker::cpu()? - before);
    let (mut keystrokes, mut latencies) = (0, Vec::new());
    while let Some(typist) = typists.join_next().await {
        let (pressed, its) = typist??;
        keystrokes += pressed as u64;
        latencies.extend(its);
    }
    latencies.sort_unstable();
    let expected = keystrokes * OPPONENTS;
    let lost = expected.saturating_sub(latencies.len() as u64);
    Ok((Raced { keystrokes, expected, lost, took, latencies }, busy))
}

/// What is looked at of a frame.
#[derive(Deserialize)]
struct Frame<'a> {
    event: &'a str,
    user_id: Option<&'a str>,
    word_index: Option<usize>,
}

struct Typist {
    player: Player,
    sent: Sent,
    start: Instant,
    end: Instant,
}

impl Typist {
    /// Returns how many keystrokes were sent, and how long those of others were on their way.
    async fn race(mut self, phase: Duration, period: Duration) -> Outcome<(usize, Vec<u64>)> {
        let mut keys = interval_at(self.start + phase, period);
        let (mut pressed, mut latencies) = (0, Vec::new());
        loop {
            let received = tokio::select! {
                _ = keys.tick(), if Instant::now() < self.end && pressed < POSITIONS => {
                    self.press(pressed).await?;
                    pressed += 1;
                    continue;
                }
                received = timeout_at(self.end + DRAIN, self.player.race.next()) => received,
            };
            let Ok(Some(message)) = received else { break };
            latencies.extend(self.seen(&message?));
        }
        Ok((pressed, latencies))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    async fn press(&mut self, word: usize) -> Outcome<()> {
        self.sent[&self.player.user][word].store(self.now(), Relaxed);
        let key =
            format!(r#"{{"event":"KEY_STOKE","game_id":1,"word_index":{word},"char_index":0}}"#);
        Ok(self.player.race.send(Message::text(key)).await?)
    }

    /// How long a keystroke of somebody else was on its way, if this is one.
    fn seen(&self, message: &Message) -> Option<u64> {
        let frame: Frame<'_> = serde_json::from_str(message.to_text().ok()?).ok()?;
        if frame.event != "KEY_STOKE" {
            return None;
        }
        let at = self.sent.get(frame.user_id?)?.get(frame.word_index?)?.load(Relaxed);
        Some(self.now().saturating_sub(at))
    }
}
