//! Indexes of games.

use std::fmt;

use crate::game::{Door, Game, Stage, UserId};

/// An index of games. The indexes of a game follow from its facts alone, so that they cannot drift apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Index {
    /// All games.
    Every,
    /// Lobbies that have not closed.
    Waiting,
    /// Lobbies behind a door that are not full.
    Door(Door),
    /// Games in which a person has a seat.
    Player(UserId),
}

impl Index {
    /// The indexes that a game is in.
    pub fn of(game: &Game) -> Vec<Self> {
        let mut ways = vec![Self::Every];
        ways.extend(game.people().map(|player| Self::Player(player.user.id.clone())));
        if game.stage == Stage::Lobby {
            ways.push(Self::Waiting);
            // Races alone are not joined.
            if !game.full && game.door != Door::ALONE {
                ways.push(Self::Door(game.door.clone()));
            }
        }
        ways
    }
}

/// The name, as it is used in keys.
impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("games"),
            Self::Waiting => f.write_str("waiting"),
            Self::Door(door) => write!(f, "door:{door}"),
            Self::Player(user) => write!(f, "player:{user}"),
        }
    }
}
