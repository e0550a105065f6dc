//! Arrivals and departures in a lobby, in one order that is the same for all its sockets.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Wishes;
use crate::game::{Game, Part, Player, UserId};

/// Number of entries kept; a socket that is further behind misses some.
pub(crate) const KEPT: usize = 64;

/// An arrival or departure, which every player in the lobby is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Passage {
    /// A player came, perhaps again.
    Came,
    /// A player lost the seat.
    Left(UserId),
}

/// The passages of a lobby. Each socket remembers how many it has told, so that none is repeated, left out or out of
/// order, even if the events that announce them are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Number of entries before the first one kept.
    before: u64,
    kept: VecDeque<Passage>,
}

impl Part for Log {
    const NAME: &'static str = "log";
}

impl Game {
    /// Logs an arrival or departure.
    pub fn log(&mut self, passage: Passage) {
        self.edit(|log: &mut Log| log.push(passage));
    }

    /// Removes the seats of some players, and logs that they left. Returns these players.
    pub fn take_seats(&mut self, is_gone: impl Fn(&Player) -> bool) -> Vec<UserId> {
        let gone = self.players.extract_if(.., |player| is_gone(player));
        let users: Vec<_> = gone.map(|player| player.user.id).collect();
        if users.is_empty() {
            return users;
        }
        self.edit(|wishes: &mut Wishes| wishes.ready.retain(|user| !users.contains(user)));
        users.iter().for_each(|user| self.log(Passage::Left(user.clone())));
        users
    }
}

impl Log {
    /// Appends an entry.
    pub fn push(&mut self, passage: Passage) {
        self.kept.push_back(passage);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
            self.before += 1;
        }
    }

    /// Number of entries so far, those no longer kept included.
    pub fn end(&self) -> u64 {
        self.before + self.kept.len() as u64
    }

    /// The entries after the first `told`, oldest first.
    pub fn since(&self, told: u64) -> impl Iterator<Item = &Passage> {
        let skipped = usize::try_from(told.saturating_sub(self.before)).unwrap_or(usize::MAX);
        self.kept.iter().skip(skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_of_the_log_hears_what_came_after_the_last_entry_it_heard() {
        let mut log = Log::default();
        log.push(Passage::Came);
        let told = log.end();
        log.push(Passage::Came);
        log.push(Passage::Left("ben".into()));
        let heard: Vec<_> = log.since(told).cloned().collect();
        assert_eq!(heard, [Passage::Came, Passage::Left("ben".into())]);
        assert_eq!(log.since(log.end()).count(), 0);
        assert_eq!(log.since(u64::MAX).count(), 0);
    }

    #[test]
    fn a_long_log_forgets_its_beginning() {
        let mut log = Log::default();
        (0..100).for_each(|_| log.push(Passage::Came));
        assert_eq!((log.end(), log.since(0).count(), log.since(90).count()), (100, KEPT, 10));
    }
}
