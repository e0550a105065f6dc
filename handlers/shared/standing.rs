//! A player's standing in a race: the entry shared by the race and its result.

use salvo::oapi::ToSchema;
use serde::Serialize;

use super::{CorrectWords, Grade};
use crate::game::{Player, Unranked};

/// The `rank` of players without one.
pub const UNRANKED: u32 = 99_999;

/// One player of a race. Values that are not known yet are `null`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Standing {
    id: String,
    name: String,
    /// When the result arrived, ISO 8601.
    finished: Option<String>,
    /// Order of finishing among people, from 1; 99999 for players who have not finished or are unranked, and for bots.
    rank: u32,
    /// Words per minute.
    wpm: Option<f64>,
    /// Words per minute, including wrong letters.
    wpm_raw: Option<f64>,
    /// Accuracy in percent.
    acc: Option<f64>,
    /// Number of correct words; present in races against the clock, once the player has a result.
    #[serde(skip_serializing_if = "Option::is_none")]
    correct_words: Option<u32>,
    /// Present and true for bots, and for ghosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<bool>,
    /// Present and true for ghosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    ghost: Option<bool>,
    /// Present for an unranked finish, with the reason: `KEYSTROKES_NOT_SEEN` or `TEXT_NOT_TYPED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unranked: Option<&'static str>,
    /// What the figures are based on; in a result, if it is on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<Grade>,
}

impl Standing {
    /// The player's current standing.
    pub fn of(player: &Player) -> Self {
        let result = player.result;
        let figures = result.map(|result| result.figures);
        Self {
            id: player.user.id.to_string(),
            name: player.user.name.clone(),
            finished: result.map(|result| result.finished.with_offset()),
            rank: result.map(|result| result.rank).filter(|rank| *rank > 0).unwrap_or(UNRANKED),
            wpm: figures.map(|figures| figures.wpm),
            wpm_raw: figures.map(|figures| figures.wpm_raw),
            acc: figures.map(|figures| figures.acc),
            correct_words: player.part::<CorrectWords>().0,
            bot: (!player.user.is_person()).then_some(true),
            ghost: player.user.is_ghost().then_some(true),
            unranked: result.and_then(|result| result.unranked).map(Unranked::as_str),
            grade: None,
        }
    }

    /// The same with the grade of the result.
    #[must_use]
    pub fn graded(self, grade: Option<Grade>) -> Self {
        Self { grade, ..self }
    }

    /// The same under another id.
    #[must_use]
    pub fn called(self, id: String) -> Self {
        Self { id, ..self }
    }
}
