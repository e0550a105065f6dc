//! The answers about the daily challenge.

use salvo::oapi::ToSchema;
use serde::Serialize;

use super::day::Day;
use super::entry::DailyEntry;
use crate::game::{GameId, Timestamp};
use crate::handlers::shared::BoardRow;

/// A page of a day's board.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "DailyBoard"))]
pub(super) struct DailyBoard {
    /// The day, in UTC.
    pub(super) day: String,
    /// When it ends, ISO 8601.
    pub(super) ends_at: String,
    /// The time until then; 0 if it is over.
    pub(super) seconds_left: f64,
    /// The best first.
    pub(super) rows: Vec<BoardRow>,
    /// The caller's own place; null without a ranked result.
    pub(super) own: Option<DailyOwn>,
    /// The cursor of the next page; null on the last one.
    pub(super) next: Option<String>,
}

impl DailyBoard {
    pub(super) fn of(day: Day, now: Timestamp, rows: Vec<BoardRow>) -> Self {
        let ends_at = day.ends_at();
        let (ends_at, seconds_left) = (ends_at.with_z(), ends_at.after(now).as_secs_f64());
        Self { day: day.name(), ends_at, seconds_left, rows, own: None, next: None }
    }
}

/// The caller's place on a day's board.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "DailyOwn"))]
pub(super) struct DailyOwn {
    /// From 1; null beyond 10,000.
    rank: Option<u64>,
    /// The race that counts.
    game_id: GameId,
    /// Words per minute in it.
    wpm: f64,
    /// Accuracy in it, in percent.
    acc: f64,
    /// When its result arrived, ISO 8601.
    finished_at: String,
}

impl DailyOwn {
    pub(super) fn of(rank: Option<u64>, entry: &DailyEntry) -> Self {
        Self {
            rank,
            game_id: entry.game,
            wpm: entry.figures.wpm,
            acc: entry.figures.acc,
            finished_at: entry.finished.with_z(),
        }
    }
}

/// What a race is to the daily challenge.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "DailyStanding"))]
pub(super) struct DailyStanding {
    /// The day whose text the race has; null for other races.
    pub(super) day: Option<String>,
    /// The caller's place on the board of that day; null without a ranked result.
    pub(super) own: Option<DailyOwn>,
}
