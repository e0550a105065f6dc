//! In which games a user has a seat: a login and the deletion of a profile look at these alone, not at all games.

use std::collections::HashMap;

use crate::game::{GameId, UserId};

/// The seats of people. Bots have no use for it.
#[derive(Debug, Default)]
pub(super) struct Played(HashMap<UserId, Vec<GameId>>);

impl Played {
    pub(super) fn add(&mut self, user: &UserId, game: GameId) {
        let games = self.0.entry(user.clone()).or_default();
        if !games.contains(&game) {
            games.push(game);
        }
    }

    pub(super) fn remove(&mut self, user: &UserId, game: GameId) {
        let Some(games) = self.0.get_mut(user) else { return };
        games.retain(|it| *it != game);
        if games.is_empty() {
            self.0.remove(user);
        }
    }

    /// All of it, for tests.
    #[cfg(test)]
    pub(super) fn all(&self) -> std::collections::BTreeMap<UserId, Vec<GameId>> {
        self.0.keys().map(|user| (user.clone(), self.of(user))).collect()
    }

    /// The games of a user, by their ids.
    pub(super) fn of(&self, user: &UserId) -> Vec<GameId> {
        let mut games = self.0.get(user).cloned().unwrap_or_default();
        games.sort_unstable();
        games
    }
}
