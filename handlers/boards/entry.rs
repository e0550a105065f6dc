//! Boards and their entries: the best race of a player in a period.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::game::{Figures, GameId, Timestamp, UserId};
use crate::handlers::shared::{BestRun, BoardRow, Contest, Grade};
use crate::module::Item;
use crate::records::{Range, SortKey};

/// The index by which boards are ordered.
pub(super) const STANDING: &str = "standing";

const DAY: i64 = 24 * 3600 * 1_000_000;
const WEEK: i64 = 7 * DAY;
/// The first Monday after 1970 began.
const MONDAY: i64 = 4 * DAY;
/// How long a board that is over is kept, for clients that are reading it.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Which races a board has. Days and weeks are those of UTC; weeks begin on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    All,
}

impl Period {
    pub(super) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::All];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::All => "all",
        }
    }

    /// When the period of a moment begins; `None` for all time.
    fn begin(self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Day => Some(Timestamp(at.0 - at.0.rem_euclid(DAY))),
            Self::Week => Some(Timestamp(at.0 - (at.0 - MONDAY).rem_euclid(WEEK))),
            Self::All => None,
        }
    }

    fn length(self) -> i64 {
        if self == Self::Day { DAY } else { WEEK }
    }
}

/// One board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Board {
    pub(super) period: Period,
    pub(super) kind: String,
    begin: Option<Timestamp>,
    /// `day-2026-11-26:words`.
    name: String,
    pub(super) is_of_verified: bool,
}

impl Board {
    /// The board of a moment.
    pub(super) fn at(period: Period, kind: &str, at: Timestamp) -> Self {
        let begin = period.begin(at);
        let date = begin.map_or(String::new(), |it| format!("-{:.10}", it.to_string()));
        let name = format!("{}{date}:{kind}", period.name());
        Self { period, kind: kind.to_owned(), begin, name, is_of_verified: false }
    }

    /// The board of the same races that has those that are verified only, and so of each player the best of these.
    pub(super) fn of_verified(self) -> Self {
        Self { name: format!("{}:verified", self.name), is_of_verified: true, ..self }
    }

    /// Its entries, the best first.
    pub(super) fn range(&self) -> Range {
        Range::within(STANDING, &SortKey::default().text(&self.name))
    }

    /// The key of a player's entry.
    pub(super) fn key_of(&self, user: &UserId) -> String {
        format!("{}:{user}", self.name)
    }

    /// The beginning of its period; 1970 for all time.
    pub(super) fn begins_at(&self) -> Timestamp {
        self.begin.unwrap_or(Timestamp(0))
    }

    /// Its period, if it has an end.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.begin.map(|begin| (begin, Timestamp(begin.0 + self.period.length())))
    }
}

/// The best race of a player on a board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BoardEntry {
    /// The name of the board.
    board: String,
    pub(super) user: UserId,
    /// As in that race.
    pub(super) name: String,
    pub(super) game: GameId,
    pub(super) figures: Figures,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) grade: Option<Grade>,
    pub(super) finished: Timestamp,
    /// When it is no longer needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl BoardEntry {
    /// As a row of this rank.
    pub(super) fn row(&self, rank: u64, is_own: bool) -> BoardRow {
        BoardRow::of(rank, &self.name, self.run(), is_own)
    }

    pub(super) fn of(board: &Board, user: UserId, name: String, race: BoardRace) -> Self {
        let BoardRace { game, figures, grade, finished } = race;
        let until = board.span().map(|(_, end)| end + KEPT);
        Self { board: board.name.clone(), user, name, game, figures, grade, finished, until }
    }

    fn run(&self) -> BestRun {
        BestRun { figures: self.figures, grade: self.grade, finished: self.finished }
    }
}

impl Contest for BoardEntry {
    const STRUCK: &'static str = "boards.struck";

    fn race(&self) -> GameId {
        self.game
    }

    fn beats(&self, other: &Self) -> bool {
        self.run().beats(&other.run())
    }
}

/// What a race of a player was like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BoardRace {
    pub(super) game: GameId,
    pub(super) figures: Figures,
    pub(super) grade: Option<Grade>,
    pub(super) finished: Timestamp,
}

impl Item for BoardEntry {
    const COLLECTION: &'static str = "boards.entries";
    const INDEXES: &'static [&'static str] = &[STANDING];

    fn key(&self) -> String {
        format!("{}:{}", self.board, self.user)
    }

    fn owner(&self) -> Option<&UserId> {
        Some(&self.user)
    }

    fn sort_keys(&self) -> Vec<SortKey> {
        vec![self.run().sorted(SortKey::default().text(&self.board))]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.until
    }
}
