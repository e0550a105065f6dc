//! The queries of boards.

use salvo::extract::Metadata;
use salvo::oapi::schema::BasicType;
use salvo::oapi::{Components, EndpointArgRegister, Object, Operation};
use salvo::{Depot, Extractible, Request};

use super::entry::Period;
use crate::game::{GameId, Timestamp};
use crate::handlers::shared::WORDS;
use crate::http::{BoundedInteger, Query, may_fail, no_metadata, text_parameter};
use crate::records::Cursor;
use crate::{Error, Kind};

const SIZE: BoundedInteger =
    BoundedInteger { name: "size", about: "Rows per page; default 50.", from: 1, to: 100 };
const GAME: BoundedInteger = BoundedInteger {
    name: "game_id",
    about: "A race of the caller: its kind counts, and its result is entered first.",
    from: 0,
    to: i64::MAX,
};
/// The grade by which a board can be filtered.
const VERIFIED: &str = "verified";
/// Longest kind.
const KIND: usize = 40;

/// Where a page begins: the board, by a moment of its period; the rank of the row before; the cursor of the collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BoardCursor {
    pub(super) at: Timestamp,
    pub(super) rank: u64,
    pub(super) cursor: Cursor,
}

impl BoardCursor {
    pub(super) fn to_text(&self) -> String {
        format!("{}.{}.{}", self.at.0, self.rank, self.cursor.to_text())
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(3, '.');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        let (at, rank) = (number(), number());
        let cursor = Cursor::parse(parts.next().unwrap_or_default())?;
        match (at, rank) {
            (Some(at @ 0..=MOMENT), Some(rank @ 0..=MOMENT)) => {
                Ok(Self { at: Timestamp(at), rank: rank.unsigned_abs(), cursor })
            }
            _ => Err(Error::validation("query parameter cursor: is not valid")),
        }
    }
}

/// The last moment, and the last rank, that a cursor may name.
const MOMENT: i64 = 1 << 53;

/// The query of a board.
pub(super) struct BoardQuery {
    pub(super) period: Period,
    pub(super) kind: String,
    pub(super) is_of_verified: bool,
    pub(super) size: u32,
    pub(super) after: Option<BoardCursor>,
}

fn period_in(query: &Query<'_>) -> Result<Period, Error> {
    let Some(name) = query.text("period") else { return Ok(Period::Day) };
    let period = Period::ALL.into_iter().find(|period| period.name() == name);
    period.ok_or_else(|| Error::validation("query parameter period: must be day, week or all"))
}

fn grade_in(query: &Query<'_>) -> Result<bool, Error> {
    match query.text("grade") {
        None => Ok(false),
        Some(VERIFIED) => Ok(true),
        Some(_) => Err(Error::validation("query parameter grade: must be verified")),
    }
}

fn kind_in(query: &Query<'_>) -> Result<String, Error> {
    let kind = query.text("kind").unwrap_or(WORDS);
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=KIND).contains(&kind.len()) && kind.chars().all(is_part) {
        return Ok(kind.to_owned());
    }
    let form = format!("must be 1 to {KIND} lower-case letters, digits and hyphens");
    Err(Error::validation(format!("query parameter kind: {form}")))
}

impl<'ex> Extractible<'ex> for BoardQuery {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let query = Query::of(req);
        let size = SIZE.of(&query)?.and_then(|size| u32::try_from(size).ok()).unwrap_or(50);
        let (period, kind) = (period_in(&query)?, kind_in(&query)?);
        let is_of_verified = grade_in(&query)?;
        let after = query.text("cursor").map(BoardCursor::parse).transpose()?;
        Ok(Self { period, kind, is_of_verified, size, after })
    }
}

fn register_kind(components: &mut Components, operation: &mut Operation) {
    let about = "The kind of text, such as words (the default); of races against the clock with the time: words-60s.";
    let form = Object::with_type(BasicType::String).pattern(format!("^[a-z0-9-]{{1,{KIND}}}$"));
    operation.parameters.insert(text_parameter("kind", about).schema(form));
    may_fail(components, operation, &[Kind::VALIDATION]);
}

impl EndpointArgRegister for BoardQuery {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let periods =
            Object::with_type(BasicType::String).enum_values(Period::ALL.map(Period::name));
        let about = "day, week (from Monday) or all, in UTC. Default: day.";
        operation.parameters.insert(text_parameter("period", about).schema(periods));
        register_kind(components, operation);
        let grades = Object::with_type(BasicType::String).enum_values([VERIFIED]);
        let about =
            "verified: only verified results, of each player the best of these. Default: all.";
        operation.parameters.insert(text_parameter("grade", about).schema(grades));
        SIZE.register(components, operation);
        let about = "Where the page begins: next of the page before.";
        operation.parameters.insert(text_parameter("cursor", about));
    }
}

/// The query of a player's own standing.
pub(super) struct StandingQuery {
    pub(super) kind: String,
    pub(super) game: Option<GameId>,
}

impl<'ex> Extractible<'ex> for StandingQuery {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let query = Query::of(req);
        Ok(Self { kind: kind_in(&query)?, game: GAME.of(&query)?.map(GameId) })
    }
}

impl EndpointArgRegister for StandingQuery {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        register_kind(components, operation);
        GAME.register(components, operation);
    }
}
