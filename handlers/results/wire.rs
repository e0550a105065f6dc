//! The messages of results, as the contract has them.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::game::{Figures, GameId, PlayerFinished, UserId};
use crate::http::{Standing, UNRANKED, lenient};

/// What a player claims.
#[derive(Deserialize, ToSchema)]
pub(super) struct Statistics {
    /// The race.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) game_id: i64,
    /// Words per minute, up to 1000.
    #[serde(deserialize_with = "lenient::number")]
    #[salvo(schema(minimum = 0, maximum = 1000))]
    wpm: f64,
    /// Words per minute, wrong ones too.
    #[serde(deserialize_with = "lenient::number")]
    #[salvo(schema(minimum = 0))]
    wpm_raw: f64,
    /// Accuracy in percent, up to 100.
    #[serde(deserialize_with = "lenient::number")]
    #[salvo(schema(minimum = 0, maximum = 100))]
    acc: f64,
}

impl Statistics {
    pub(super) fn figures(&self) -> Figures {
        Figures { wpm: self.wpm, wpm_raw: self.wpm_raw, acc: self.acc }
    }
}

/// Somebody's result was taken.
#[derive(Serialize)]
pub(super) struct UserFinished<'a> {
    event: &'static str,
    game_id: GameId,
    user_id: &'a UserId,
    /// As in the result of the race.
    rank: u32,
}

impl<'a> UserFinished<'a> {
    pub(super) fn of(finished: &'a PlayerFinished) -> Self {
        let rank = if finished.rank == 0 { UNRANKED } else { finished.rank };
        Self { event: "USER_FINISHED", game_id: finished.game, user_id: &finished.user, rank }
    }
}

/// The result of a race.
#[derive(Serialize, ToSchema)]
pub(super) struct Ranking {
    /// By rank.
    pub(super) ranking: Vec<Standing>,
}
