//! What is kept: the rating of each player, and a receipt of each race that is rated.

use std::collections::VecDeque;
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
    /// What the last races have changed, the newest first.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) changes: VecDeque<RatingChange>,
}

/// Changes that are remembered: a race that is struck later than that keeps its effect.
const REMEMBERED: usize = 50;

/// What a race has changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RatingChange {
    pub(super) game: GameId,
    by: f64,
    /// Whether it is taken back, since the result is struck.
    #[serde(default, skip_serializing_if = "is_false")]
    is_struck: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Rating {
    /// Remembers what its last race has changed.
    pub(super) fn remembering(mut self, mut changes: VecDeque<RatingChange>) -> Self {
        let by = self.strength.rating - self.before;
        changes.truncate(REMEMBERED - 1);
        changes.push_front(RatingChange { game: self.game, by, is_struck: false });
        self.changes = changes;
        self
    }

    /// Takes back what a race has changed, or restores it. Returns whether that is news.
    pub(super) fn judge(&mut self, game: GameId, is_struck: bool) -> bool {
        let change = self.changes.iter_mut().find(|change| change.game == game);
        let Some(change) = change.filter(|change| change.is_struck != is_struck) else {
            return false;
        };
        change.is_struck = is_struck;
        let by = if is_struck { -change.by } else { change.by };
        self.strength.rating += by;
        self.races = if is_struck { self.races.saturating_sub(1) } else { self.races + 1 };
        // What the last race has changed stays the same, unless it is that race.
        if self.game != game {
            self.before += by;
        }
        true
    }
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
