//! How a player stands in a race: the entry that the race and its result have in common.

use salvo::oapi::ToSchema;
use serde::Serialize;

use crate::game::{Player, Unranked};

/// The `rank` of those who have none.
pub const UNRANKED: u32 = 99_999;

/// One player of a race. What is not known yet is `null`.
#[derive(Serialize, ToSchema)]
pub struct Standing {
    id: String,
    name: String,
    /// When the result arrived, ISO 8601.
    finished: Option<String>,
    /// Order of arrival from 1, among people; 99999 for those who have not finished or are not ranked, and for bots.
    rank: u32,
    /// Words per minute.
    wpm: Option<f64>,
    /// Words per minute, wrong ones too.
    wpm_raw: Option<f64>,
    /// Accuracy in percent.
    acc: Option<f64>,
    /// There and true, if it is a pace-maker of the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<bool>,
    /// There for a finish that is not ranked, and says why: `KEYSTROKES_NOT_SEEN` or `TEXT_NOT_TYPED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unranked: Option<&'static str>,
}

impl Standing {
    /// How a player stands now.
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
            bot: player.user.is_bot().then_some(true),
            unranked: result.and_then(|result| result.unranked).map(Unranked::as_str),
        }
    }

    /// The same under another id.
    #[must_use]
    pub fn called(self, id: String) -> Self {
        Self { id, ..self }
    }
}
