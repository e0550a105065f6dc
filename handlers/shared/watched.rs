//! Races that are watched by sockets without a seat: what the module that has these sockets and those that move carets share.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::bus::{Event, Latest, Reach};
use crate::game::{GameId, UserId};
use crate::socket::Channel;

/// The sockets of spectators.
pub const WATCH: Channel = Channel("watch");

/// A race is watched from a pod that had no spectators of it before: their sockets need the carets of all players.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RaceWatched {
    /// The race.
    pub game: GameId,
}

impl Event for RaceWatched {
    const NAME: &'static str = "race.watched";
    const REACH: Reach = Reach::Game;
    type Loss = Latest;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// The position of a player, perhaps an old one: a position that is known may be newer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaretTold {
    /// The race.
    pub game: GameId,
    /// The player.
    pub user: UserId,
    /// Index of the word, from 0.
    pub word_index: u32,
    /// Index of the last character typed in the word; -1 before the first.
    pub char_index: i32,
}

impl Event for CaretTold {
    const NAME: &'static str = "caret.told";
    const REACH: Reach = Reach::Game;
    type Loss = Latest;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
    fn player(&self) -> Option<&UserId> {
        Some(&self.user)
    }
}
