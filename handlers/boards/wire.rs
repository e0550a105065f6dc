//! The answers about boards.

use salvo::oapi::ToSchema;
use serde::Serialize;

use super::entry::{Board, BoardEntry};
use crate::game::GameId;
use crate::handlers::shared::{BoardRow, Grade};

/// A page of a board.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "BoardPage"))]
pub(super) struct BoardPage {
    /// day, week or all.
    period: &'static str,
    /// The kind of text.
    kind: String,
    /// The grade of all rows, if the board has those of one only; null otherwise.
    grade: Option<Grade>,
    /// When the period began, ISO 8601; null for all time.
    begins_at: Option<String>,
    /// When it ends; null for all time.
    ends_at: Option<String>,
    /// The best first.
    rows: Vec<BoardRow>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

impl BoardPage {
    pub(super) fn of(board: &Board, rows: Vec<BoardRow>, next: Option<String>) -> Self {
        let (begins_at, ends_at) = board.span().unzip();
        Self {
            period: board.period.name(),
            kind: board.kind.clone(),
            grade: board.is_of_verified.then_some(Grade::Verified),
            begins_at: begins_at.map(|it| it.with_z()),
            ends_at: ends_at.map(|it| it.with_z()),
            rows,
            next,
        }
    }
}

/// The caller's places on the boards of one kind.
#[derive(Serialize, ToSchema)]
pub(super) struct Standings {
    /// The kind of text; null if races of its kind are on no board.
    pub(super) kind: Option<String>,
    /// Those boards on which the caller is.
    pub(super) standings: Vec<BoardStanding>,
}

/// The caller's place on a board.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "BoardStanding"))]
pub(super) struct BoardStanding {
    /// day, week or all.
    period: &'static str,
    /// From 1; null beyond 10,000.
    rank: Option<u32>,
    /// The race that counts.
    game_id: GameId,
    /// Words per minute in it.
    wpm: f64,
    /// Accuracy in it, in percent.
    acc: f64,
    /// When its result arrived, ISO 8601.
    finished_at: String,
}

impl BoardStanding {
    pub(super) fn of(board: &Board, entry: &BoardEntry, rank: Option<u32>) -> Self {
        Self {
            period: board.period.name(),
            rank,
            game_id: entry.game,
            wpm: entry.figures.wpm,
            acc: entry.figures.acc,
            finished_at: entry.finished.with_z(),
        }
    }
}
