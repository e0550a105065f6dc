//! Budgets of a player's frames on one channel of a game, for those with a rate of their own.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::http::edge::{Gcra, Rate};

/// The budgets of a player, by the frame's event; all sockets of the player share them.
#[derive(Debug)]
pub(in crate::socket) struct Rates {
    begun: Instant,
    spent: Mutex<HashMap<&'static str, Gcra>>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { begun: Instant::now(), spent: Mutex::default() }
    }
}

impl Rates {
    /// Spends one frame of this event, if one is left.
    pub(in crate::socket) fn spend(&self, event: &'static str, rate: Rate) -> bool {
        let now = self.begun.elapsed();
        self.spent.lock().entry(event).or_default().spend(now, rate.interval(), rate.size())
    }
}
