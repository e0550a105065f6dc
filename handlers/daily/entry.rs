//! Entries of a day's board: the best race of each player.

use serde::{Deserialize, Serialize};

use super::day::Day;
use crate::game::{Figures, GameId, Timestamp, User, UserId};
use crate::handlers::shared::{BestRun, BoardRow, Contest, Grade};
use crate::module::Item;
use crate::records::{Range, SortKey};

/// The index by which a board is ordered.
const STANDING: &str = "standing";

/// The entries of a day, the best first.
pub(super) fn board(day: Day) -> Range {
    Range::within(STANDING, &SortKey::default().text(&day.name()))
}

/// The key of a player's entry.
pub(super) fn key(day: Day, user: &UserId) -> String {
    format!("{}:{user}", day.name())
}

/// The best race of a player on a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DailyEntry {
    pub(super) day: Day,
    pub(super) user: UserId,
    /// As in that race.
    pub(super) name: String,
    pub(super) game: GameId,
    pub(super) figures: Figures,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) grade: Option<Grade>,
    pub(super) finished: Timestamp,
    /// When it expires.
    pub(super) until: Timestamp,
}

impl DailyEntry {
    /// As a row of this rank, for this caller.
    pub(super) fn row(&self, rank: u64, caller: Option<&UserId>) -> BoardRow {
        let is_own = caller == Some(&self.user);
        BoardRow::of(rank, &self.name, self.run(), is_own)
    }

    fn run(&self) -> BestRun {
        BestRun { figures: self.figures, grade: self.grade, finished: self.finished }
    }
}

impl Contest for DailyEntry {
    const STRUCK: &'static str = "daily.struck";

    fn race(&self) -> GameId {
        self.game
    }

    fn beats(&self, other: &Self) -> bool {
        self.run().beats(&other.run())
    }
}

impl Item for DailyEntry {
    const COLLECTION: &'static str = "daily.entries";
    const INDEXES: &'static [&'static str] = &[STANDING];

    fn key(&self) -> String {
        key(self.day, &self.user)
    }

    fn owner(&self) -> Option<&UserId> {
        Some(&self.user)
    }

    fn sort_keys(&self) -> Vec<SortKey> {
        vec![self.run().sorted(SortKey::default().text(&self.day.name()))]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.until)
    }

    fn handed_over(self, account: &User) -> Option<Self> {
        Some(Self { user: account.id.clone(), name: account.name.clone(), ..self })
    }
}
