//! The messages of results, as the contract defines them.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::game::{Figures, GameId, PlayerFinished, UserId};
use crate::handlers::shared::{Standing, UNRANKED};
use crate::http::lenient;
use crate::socket::Message;

/// The claim of a player.
#[derive(Deserialize, ToSchema)]
pub(super) struct ClaimedStatistics {
    /// The race.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) game_id: i64,
    /// Words per minute, up to 1000.
    #[serde(deserialize_with = "lenient::number")]
    #[salvo(schema(minimum = 0, maximum = 1000))]
    wpm: f64,
    /// Raw words per minute: all letters, right or wrong.
    #[serde(deserialize_with = "lenient::number")]
    #[salvo(schema(minimum = 0))]
    wpm_raw: f64,
    /// Accuracy in percent, up to 100.
    #[serde(deserialize_with = "lenient::number")]
    #[salvo(schema(minimum = 0, maximum = 100))]
    acc: f64,
    /// In races against the clock: number of correct words.
    #[serde(default)]
    pub(super) correct_words: Option<u32>,
}

impl ClaimedStatistics {
    pub(super) fn figures(&self) -> Figures {
        Figures { wpm: self.wpm, wpm_raw: self.wpm_raw, acc: self.acc }
    }
}

/// A player's result has been accepted.
#[derive(Serialize, ToSchema)]
pub(super) struct UserFinished {
    game_id: GameId,
    user_id: UserId,
    /// The rank, as in the result of the race.
    rank: u32,
}

impl Message for UserFinished {
    const EVENT: &'static str = "USER_FINISHED";
}

impl UserFinished {
    pub(super) fn of(finished: &PlayerFinished) -> Self {
        let rank = if finished.rank == 0 { UNRANKED } else { finished.rank };
        Self { game_id: finished.game, user_id: finished.user.clone(), rank }
    }
}

/// The result of a race.
#[derive(Serialize, ToSchema)]
pub(super) struct Ranking {
    /// By rank.
    pub(super) ranking: Vec<Standing>,
}
