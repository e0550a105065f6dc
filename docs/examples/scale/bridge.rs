//! The messages that a pod sends to others for its players' keystrokes, simulated batch by batch.

use std::collections::{BTreeMap, BTreeSet};

use super::RATE;

/// Simulated keys per player.
pub const KEYS: u32 = 14;

/// `INTERVALS` and `MANY` of `outbound.rs`, in seconds, plus the millisecond by which tokio's timers are late.
const INTERVALS: (f64, f64) = (0.006, 0.011);
/// `USELESS` of `outbound.rs`.
const USELESS: usize = 50;
const MANY: usize = 6;
/// Bytes of a position in a message, of a message without positions, and of the name of each further recipient.
const POSITION: f64 = 142.0;
const MESSAGE: f64 = 160.0;
const RECIPIENT: f64 = 24.0;

/// A player of the simulated pod: the time of the first key, the race's broker, and the other pods with an opponent.
pub struct Player {
    pub phase: f64,
    pub exchange: usize,
    pub others: BTreeSet<usize>,
}

/// The players with a waiting position, by number.
type Waiting<'a> = BTreeMap<usize, &'a Player>;

/// Messages between pods, per second.
#[derive(Clone, Copy, Default)]
pub struct Traffic {
    pub messages: f64,
    /// Messages times their recipients.
    pub deliveries: f64,
    /// In and out of all brokers.
    pub bytes: f64,
}

impl Traffic {
    /// Simulates two seconds of a pod. Players press keys evenly, each with an offset of its own.
    pub fn simulate(&mut self, players: &[Player], exchanges: usize, weight: f64) {
        let mut keys: Vec<(f64, &Player, usize)> = (0..KEYS)
            .flat_map(|round| {
                let later = f64::from(round) / RATE;
                players.iter().enumerate().map(move |(number, it)| (it.phase + later, it, number))
            })
            .filter(|(_, player, _)| !player.others.is_empty())
            .collect();
        keys.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut opens_at, mut waiting) = (0.0, BTreeMap::new());
        for (at, player, number) in keys {
            // Waiting positions are sent at the end of the interval, and a keystroke after a pause at once.
            if at >= opens_at && !waiting.is_empty() {
                opens_at += self.flush(&mut waiting, exchanges, weight);
            }
            waiting.insert(number, player);
            if at >= opens_at {
                opens_at = at + self.flush(&mut waiting, exchanges, weight);
            }
        }
    }

    /// Sends the waiting positions, each through its race's broker. Returns the time until the next batch.
    fn flush(&mut self, waiting: &mut Waiting<'_>, exchanges: usize, weight: f64) -> f64 {
        for exchange in 0..exchanges {
            let of_it = waiting.values().copied().filter(|it| it.exchange == exchange);
            let batch: Vec<&Player> = of_it.collect();
            if !batch.is_empty() {
                self.share(&batch, weight);
            }
        }
        let interval = if waiting.len() < MANY { INTERVALS.0 } else { INTERVALS.1 };
        waiting.clear();
        interval
    }

    /// `shares` of `outbound.rs`: one message to all pods, if few enough of its positions are useless to them; otherwise one
    /// message per pod.
    fn share(&mut self, batch: &[&Player], weight: f64) {
        let mut by_pod: BTreeMap<usize, usize> = BTreeMap::new();
        for pod in batch.iter().flat_map(|it| &it.others) {
            *by_pod.entry(*pod).or_default() += 1;
        }
        let useful = by_pod.values().sum::<usize>();
        let (useless, saved) =
            (batch.len() * by_pod.len() - useful, by_pod.len().saturating_sub(1));
        let pods = by_pod.len() as f64;
        self.deliveries += pods;
        if saved > 0 && useless <= USELESS * saved {
            self.messages += 1.0;
            let size = MESSAGE + pods * RECIPIENT + batch.len() as f64 * weight * POSITION;
            self.bytes += size * (1.0 + pods);
        } else {
            self.messages += pods;
            self.bytes += 2.0 * (pods * MESSAGE + useful as f64 * weight * POSITION);
        }
    }

    /// All of it, times a factor.
    pub fn times(self, by: f64) -> Self {
        let Self { messages, deliveries, bytes } = self;
        Self { messages: messages * by, deliveries: deliveries * by, bytes: bytes * by }
    }
}
