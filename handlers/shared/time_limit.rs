//! Races that end after a time, whatever has been typed by then.

use std::time::Duration;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::bus::{Event, Never, Reach};
use crate::game::{Game, GameId, Part, Stage, Timestamp};

/// For how many seconds the players of a race may type; `None` until the end of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeLimit(pub Option<u16>);

impl Part for TimeLimit {
    const NAME: &'static str = "time_limit";
}

/// Number of correct words, in a race with a time limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CorrectWords(pub Option<u32>);

impl Part for CorrectWords {
    const NAME: &'static str = "correct_words";
}

/// The time of a race with a time limit is up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimeIsUp {
    /// The race.
    pub game: GameId,
}

impl Event for TimeIsUp {
    const NAME: &'static str = "time.up";
    const REACH: Reach = Reach::Game;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

impl Game {
    /// For how long the players may type, if there is a limit.
    pub fn time_limit(&self) -> Option<Duration> {
        let seconds = self.part::<TimeLimit>().0;
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// When the time of a running race is up, if there is a limit.
    pub fn time_is_up_at(&self) -> Option<Timestamp> {
        let start = self.starts_at.filter(|_| self.stage == Stage::Running)?;
        Some(start + self.time_limit()?)
    }
}
