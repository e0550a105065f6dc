//! By what games are found, other than by their ids.

use std::fmt;

use crate::game::{Door, Game, Stage, UserId};

/// One way to games. Which ways lead to a game follows from its facts alone, so that no index can drift away from them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Index {
    /// All games.
    Every,
    /// The lobbies that have not closed.
    Waiting,
    /// Those behind a door that are not full.
    Door(Door),
    /// The games in which a person has a seat.
    Player(UserId),
}

impl Index {
    /// Those that lead to a game.
    pub fn of(game: &Game) -> Vec<Self> {
        let mut ways = vec![Self::Every];
        ways.extend(game.people().map(|player| Self::Player(player.user.id.clone())));
        if game.stage == Stage::Lobby {
            ways.push(Self::Waiting);
            // Nobody is let into the lobby of a race alone.
            if !game.full && game.door != Door::Alone {
                ways.push(Self::Door(game.door.clone()));
            }
        }
        ways
    }
}

/// As it stands in keys.
impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("games"),
            Self::Waiting => f.write_str("waiting"),
            Self::Door(Door::Open) => f.write_str("door:open"),
            Self::Door(Door::Alone) => f.write_str("door:alone"),
            Self::Door(Door::Invited(token)) => write!(f, "door:invited:{token}"),
            Self::Player(user) => write!(f, "player:{user}"),
        }
    }
}
