//! The queries of the daily challenge.

use salvo::extract::Metadata;
use salvo::oapi::schema::BasicType;
use salvo::oapi::{Components, EndpointArgRegister, Object, Operation};
use salvo::{Depot, Extractible, Request};

use super::day::Day;
use crate::Error;
use crate::http::{BoundedInteger, Query, no_metadata, text_parameter};
use crate::records::Cursor;

const SIZE: BoundedInteger =
    BoundedInteger { name: "size", about: "Rows per page; default 50.", from: 1, to: 100 };

/// Where a page begins: the day, the rank of the row before, and the cursor of the collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DailyCursor {
    pub(super) day: Day,
    pub(super) rank: u64,
    pub(super) cursor: Cursor,
}

impl DailyCursor {
    pub(super) fn to_text(&self) -> String {
        format!("{}.{}.{}", self.day.name(), self.rank, self.cursor.to_text())
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(3, '.');
        let day = parts.next().and_then(Day::parse);
        let rank = parts.next().and_then(|rank| rank.parse().ok());
        let cursor = Cursor::parse(parts.next().unwrap_or_default())?;
        match (day, rank) {
            (Some(day), Some(rank @ 0..=LAST)) => Ok(Self { day, rank, cursor }),
            _ => Err(Error::validation("query parameter cursor: is not valid")),
        }
    }
}

/// The last rank that a cursor may name.
const LAST: u64 = 1 << 53;

/// The query of a board.
pub(super) struct DailyQuery {
    /// `None` for today.
    pub(super) day: Option<Day>,
    pub(super) size: u32,
    pub(super) after: Option<DailyCursor>,
}

impl<'ex> Extractible<'ex> for DailyQuery {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let query = Query::of(req);
        let no_day =
            || Error::validation("query parameter day: must be a date, such as 2026-11-26");
        let day = query.text("day").map(|name| Day::parse(name).ok_or_else(no_day)).transpose()?;
        let size = SIZE.of(&query)?.and_then(|size| u32::try_from(size).ok()).unwrap_or(50);
        let after = query.text("cursor").map(DailyCursor::parse).transpose()?;
        Ok(Self { day, size, after })
    }
}

impl EndpointArgRegister for DailyQuery {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let date = Object::with_type(BasicType::String).pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
        let about = "The day, in UTC; default: today.";
        operation.parameters.insert(text_parameter("day", about).schema(date));
        SIZE.register(components, operation);
        let about = "Where the page begins: next of the page before, on the same day.";
        operation.parameters.insert(text_parameter("cursor", about));
    }
}
