//! Links to a race that work without an account, and cannot be guessed although the numbers of races can.

use crate::game::GameId;
use crate::module::Cx;

/// What a link leads to. Links of different kinds to one race tell nothing of each other.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// The replay of a recorded race.
    Replay,
    /// A race that is going on.
    Watch,
}

impl Link {
    fn purpose(self) -> &'static str {
        match self {
            Self::Replay => "the replay of",
            Self::Watch => "watching",
        }
    }

    /// The last part of the address.
    pub fn to(self, cx: &Cx, game: GameId) -> String {
        format!("{game}-{}", cx.secret_of(&format!("{} {game}", self.purpose())))
    }

    /// The race that a link leads to, if it is one.
    pub fn game(self, cx: &Cx, link: &str) -> Option<GameId> {
        let game = link.split('-').next().and_then(|it| it.parse().ok()).map(GameId)?;
        (self.to(cx, game) == link).then_some(game)
    }
}
