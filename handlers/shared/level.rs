//! How strong a player is, for lobbies that bring players of a near level together.

use serde::{Deserialize, Serialize};

use crate::game::{Part, UserId};
use crate::module::Question;

/// A player's level when taking the seat, on the scale of the module that knows it; `None` if none does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Level(pub Option<f64>);

impl Part for Level {
    const NAME: &'static str = "level";
}

/// Asked by the lobby when a player arrives: the player's level, if a module knows it.
#[derive(Debug)]
pub struct LevelWanted {
    /// The player.
    pub user: UserId,
}

impl Question for LevelWanted {
    const NAME: &'static str = "level.wanted";
    type Answer = Level;
}
