//! What is kept: the rating of each player, and a receipt of each race that is rated.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use skillratings::weng_lin::WengLinRating;

use crate::game::{GameId, Timestamp, User, UserId};
use crate::module::Item;

/// Points per unit of the algorithm, so that players begin with 1000.
const POINTS: f64 = 40.0;
/// How long a guest's rating is kept after the last race.
const GUESTS_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a receipt is kept: longer than a race is in the live state.
const RECEIPTS_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// A rating, in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Strength {
    pub(super) rating: f64,
    /// The standard deviation.
    pub(super) uncertainty: f64,
}

impl From<WengLinRating> for Strength {
    fn from(it: WengLinRating) -> Self {
        Self { rating: it.rating * POINTS, uncertainty: it.uncertainty * POINTS }
    }
}

impl From<Strength> for WengLinRating {
    fn from(it: Strength) -> Self {
        Self { rating: it.rating / POINTS, uncertainty: it.uncertainty / POINTS }
    }
}

impl Default for Strength {
    fn default() -> Self {
        WengLinRating::new().into()
    }
}

/// The rating of a player.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rating {
    pub(super) user: UserId,
    pub(super) strength: Strength,
    /// Races that were rated.
    pub(super) races: u32,
    /// The last one.
    pub(super) game: GameId,
    /// The rating before it.
    pub(super) before: f64,
    /// When that was.
    pub(super) at: Timestamp,
}

impl Item for Rating {
    const COLLECTION: &'static str = "rating.players";

    fn key(&self) -> String {
        self.user.to_string()
    }

    fn owner(&self) -> Option<&UserId> {
        Some(&self.user)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.user.is_guest().then(|| self.at + GUESTS_FOR)
    }

    fn handed_over(self, account: &User) -> Option<Self> {
        Some(Self { user: account.id.clone(), ..self })
    }
}

/// A race that is rated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rated {
    game: GameId,
    at: Timestamp,
}

impl Rated {
    pub(super) fn of(game: GameId, at: Timestamp) -> Self {
        Self { game, at }
    }
}

impl Item for Rated {
    const COLLECTION: &'static str = "rating.races";

    fn key(&self) -> String {
        self.game.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.at + RECEIPTS_FOR)
    }
}
