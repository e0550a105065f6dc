//! The grade of a result, as several modules show it.

use std::time::Duration;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::game::{GameId, UserId};
use crate::module::{Cx, Question};

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

/// What is on record about a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnRecord {
    /// The grade.
    pub grade: Option<Grade>,
    /// The place among all in the race, bots included, and how many these were.
    pub place: Option<(u32, u32)>,
}

/// How long results wait for what is on record.
const PATIENCE: Duration = Duration::from_millis(300);

/// Asked by modules that show several results: what is on record about each, in that order.
#[derive(Clone, Debug)]
pub struct OnRecordWanted {
    /// Races and players.
    pub results: Vec<(GameId, UserId)>,
}

impl Question for OnRecordWanted {
    const NAME: &'static str = "results.on_record";
    type Answer = Vec<OnRecord>;
}

impl OnRecordWanted {
    /// Asks. Should the records not answer soon, results are shown without it.
    pub async fn ask(self, cx: &Cx) -> Vec<OnRecord> {
        let count = self.results.len();
        if count == 0 {
            return Vec::new();
        }
        let known = tokio::time::timeout(PATIENCE, cx.ask(self)).await;
        let known = known.ok().and_then(Result::ok).flatten();
        known.unwrap_or_else(|| vec![OnRecord::default(); count])
    }
}
