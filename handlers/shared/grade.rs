//! The grade of a result, as several modules show it.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::game::{GameId, UserId};
use crate::module::Question;

/// What the figures of a result are based on; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[salvo(schema(name = "RecordingGrade"))]
pub enum Grade {
    /// On every keystroke: they follow from what the server has recorded.
    Verified,
    /// On the positions that the server has seen, with its own clock.
    Positions,
    /// On the client alone.
    Claimed,
}

/// Asked by modules that show results: the grade of a player's result. Without an answer it has none.
#[derive(Clone, Debug)]
pub struct GradeWanted {
    /// The race.
    pub game: GameId,
    /// The player.
    pub user: UserId,
}

impl Question for GradeWanted {
    const NAME: &'static str = "grade.wanted";
    type Answer = Grade;
}
