//! A row of a board, as boards of several modules show it.

use std::cmp::Ordering;

use salvo::oapi::ToSchema;
use serde::Serialize;

use super::Grade;
use crate::game::{Figures, Timestamp};
use crate::records::SortKey;

/// The best race of a player.
#[derive(Serialize, ToSchema)]
pub struct BoardRow {
    /// From 1; every row has another one.
    pub rank: u64,
    /// The player's name in that race.
    name: String,
    /// Words per minute.
    wpm: f64,
    /// Words per minute, including wrong letters.
    wpm_raw: f64,
    /// Accuracy in percent.
    acc: f64,
    /// What these figures are based on; null if that is not known.
    grade: Option<Grade>,
    /// When the result arrived, ISO 8601.
    finished_at: String,
    /// Present and true for the caller's own row.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
}

/// The result of a race as it stands on a board.
#[derive(Clone, Copy, Debug)]
pub struct BestRun {
    /// Its figures.
    pub figures: Figures,
    /// What they are based on.
    pub grade: Option<Grade>,
    /// When it arrived.
    pub finished: Timestamp,
}

impl BestRun {
    /// Whether it comes before another one: it is faster, or as fast and of a better grade, or more accurate, or earlier.
    pub fn beats(&self, other: &Self) -> bool {
        let order = self.figures.wpm.total_cmp(&other.figures.wpm);
        let order = order.then(place(other.grade).cmp(&place(self.grade)));
        let order = order.then(self.figures.acc.total_cmp(&other.figures.acc));
        order.then(other.finished.cmp(&self.finished)) == Ordering::Greater
    }

    /// Adds its place to that of a board, in the same order.
    #[must_use]
    pub fn sorted(&self, board: SortKey) -> SortKey {
        let fastest = board.falling(self.figures.wpm).integer(place(self.grade));
        fastest.falling(self.figures.acc).at(self.finished)
    }
}

/// The best grade first, none last.
fn place(grade: Option<Grade>) -> i64 {
    grade.map_or(9, |grade| match grade {
        Grade::Verified => 0,
        Grade::Positions => 1,
        Grade::Claimed => 2,
    })
}

impl BoardRow {
    /// The row of this rank.
    pub fn of(rank: u64, name: &str, run: BestRun, is_own: bool) -> Self {
        let BestRun { figures: Figures { wpm, wpm_raw, acc }, grade, finished } = run;
        let (name, finished_at) = (name.to_owned(), finished.with_z());
        Self { rank, name, wpm, wpm_raw, acc, grade, finished_at, own: is_own.then_some(true) }
    }
}
