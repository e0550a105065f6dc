//! A row of a board, as boards of several modules show it.

use salvo::oapi::ToSchema;
use serde::Serialize;

use crate::game::{Figures, Timestamp};

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
    /// When the result arrived, ISO 8601.
    finished_at: String,
    /// Present and true for the caller's own row.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
}

impl BoardRow {
    /// The row of this rank.
    pub fn of(rank: u64, name: &str, figures: Figures, finished: Timestamp, is_own: bool) -> Self {
        let Figures { wpm, wpm_raw, acc } = figures;
        let (name, finished_at) = (name.to_owned(), finished.with_z());
        Self { rank, name, wpm, wpm_raw, acc, finished_at, own: is_own.then_some(true) }
    }
}
