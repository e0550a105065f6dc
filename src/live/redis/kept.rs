//! What goes into the records: rows of games, and results.
//!
//! A result is written before it is acknowledged, and a game before it is taken away. That a lobby was
//! opened, closed or prepared is noted when the journal has room, and nobody waits for it: the next change
//! brings it along.

use std::sync::Arc;

use super::RedisLive;
use crate::Error;
use crate::game::{Game, GameId, Timestamp};
use crate::records::{Change, Writing};

impl RedisLive {
    /// Notes the facts of a game without waiting.
    pub(super) fn note_saved(&self, game: &Arc<Game>) {
        self.note(Change::Saved(game.clone()));
    }

    /// Notes that a lobby which nobody raced in is gone.
    pub(super) fn note_gone(&self, game: GameId, at: Timestamp) {
        self.note(Change::Ended { game, at });
    }

    fn note(&self, change: Change) {
        // Nobody asks whether it is written.
        let _: Option<Writing> = self.journal.try_place().map(|place| place.enter(change));
    }

    /// Waits until the facts of a game are written.
    pub(super) async fn keep(&self, game: Arc<Game>) -> Result<(), Error> {
        self.journal.place().await?.enter(Change::Saved(game)).done().await
    }

    /// Waits until the last facts of a game are written, and that it is over.
    pub(super) async fn keep_ended(&self, game: &Arc<Game>, at: Timestamp) -> Result<(), Error> {
        let saved = self.journal.place().await?.enter(Change::Saved(game.clone()));
        let ended = self.journal.place().await?.enter(Change::Ended { game: game.id, at });
        saved.done().await?;
        ended.done().await
    }
}
