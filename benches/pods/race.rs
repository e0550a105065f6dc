//! Players who type, and see the others type.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::Outcome;
use crate::cluster::{Player, event, open};

/// Positions that a player goes through: a word each.
const POSITIONS: usize = 500;
/// Time for the last frames to arrive.
const DRAIN: Duration = Duration::from_secs(1);

/// When each position of a player was sent, in microseconds since the beginning.
type Sent = Arc<Vec<AtomicU64>>;

pub struct Raced {
    pub keystrokes: u64,
    /// Frames that did not arrive. A player's newest replaces the one before where somebody is slow.
    pub lost: u64,
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

pub async fn run(players: &[Player], rate: u32, span: Duration) -> Outcome<Raced> {
    let epoch = Instant::now();
    let sent: HashMap<String, Sent> = players
        .iter()
        .map(|it| (it.user.clone(), Arc::new((0..POSITIONS).map(|_| AtomicU64::new(0)).collect())))
        .collect();
    let sent = Arc::new(sent);
    let mut sockets = JoinSet::new();
    for player in players {
        let path = format!("/api/v1/game/ws?game_id={}", player.game);
        let (pod, cookie, user) = (player.pod, player.cookie.clone(), player.user.clone());
        sockets.spawn(async move {
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((
                user,
                open(pod, &path, Some(&cookie)).await?,
            ))
        });
    }
    let mut open_sockets = Vec::new();
    while let Some(socket) = sockets.join_next().await {
        open_sockets.push(socket??);
    }
    sleep(Duration::from_secs(3)).await;
    let start = Instant::now();
    let mut typists = JoinSet::new();
    for (number, (user, mut socket)) in open_sockets.into_iter().enumerate() {
        let sent = sent.clone();
        let period = Duration::from_secs(1) / rate;
        // Golden-ratio steps, so that neighbours are far from each other.
        let phase = period.mul_f64((number as f64 * 0.618_033_988_749_895).fract());
        typists.spawn(async move {
            if number == 0 {
                let _ = tokio::time::timeout(DRAIN, event(&mut socket, "START")).await;
            }
            let mut keys = interval_at(start + phase, period);
            let (mut pressed, mut latencies) = (0_u64, Vec::new());
            let end = start + span;
            loop {
                let received = tokio::select! {
                    _ = keys.tick(), if Instant::now() < end && (pressed as usize) < POSITIONS => {
                        let now = epoch.elapsed().as_micros() as u64;
                        sent[&user][pressed as usize].store(now, Relaxed);
                        let key = json!({"event": "KEY_STOKE", "game_id": 1, "word_index": pressed, "char_index": 0});
                        socket.send(Message::text(key.to_string())).await?;
                        pressed += 1;
                        continue;
                    }
                    received = timeout_at(end + DRAIN, socket.next()) => received,
                };
                let Ok(Some(message)) = received else { break };
                let message = message?;
                let Ok(text) = message.to_text() else { continue };
                let Ok(frame) = serde_json::from_str::<Value>(text) else { continue };
                if frame["event"] == "KEY_STOKE" {
                    let (from, word) = (frame["user_id"].as_str().unwrap_or_default(), frame["word_index"].as_u64());
                    let at = sent[from][word.unwrap_or_default() as usize].load(Relaxed);
                    latencies.push((epoch.elapsed().as_micros() as u64).saturating_sub(at));
                }
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((pressed, latencies))
        });
    }
    let (mut keystrokes, mut latencies) = (0, Vec::new());
    while let Some(typist) = typists.join_next().await {
        let (pressed, its) = typist??;
        keystrokes += pressed;
        latencies.extend(its);
    }
    latencies.sort_unstable();
    let expected = keystrokes * 4;
    let lost = expected.saturating_sub(latencies.len() as u64);
    Ok(Raced { keystrokes, lost, latencies })
}
