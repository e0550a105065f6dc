//! Days, and the text that each has.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::Date;
use time::macros::format_description;

use crate::game::Timestamp;
use crate::module::Item;

const LENGTH: i64 = 24 * 3600 * 1_000_000;

/// A day in UTC, by its begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Day(Timestamp);

impl Day {
    /// The day of a moment.
    pub(super) fn of(at: Timestamp) -> Self {
        Self(Timestamp(at.0 - at.0.rem_euclid(LENGTH)))
    }

    /// The day with this name; `None` if it is none.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let date = Date::parse(name, format_description!("[year]-[month]-[day]")).ok()?;
        let day = Self::of(date.midnight().assume_utc().into());
        // Such as a year with a sign.
        (day.name() == name).then_some(day)
    }

    /// Its name: `2026-11-26`.
    pub(super) fn name(self) -> String {
        format!("{:.10}", self.0.to_string())
    }

    /// When it ends.
    pub(super) fn ends_at(self) -> Timestamp {
        Timestamp(self.0.0.saturating_add(LENGTH))
    }

    /// When what is kept of it expires, so many days after its end.
    pub(super) fn kept_until(self, days: u16) -> Timestamp {
        self.ends_at() + Duration::from_secs(24 * 3600 * u64::from(days))
    }
}

/// The text of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DayText {
    pub(super) day: Day,
    pub(super) words: String,
    pub(super) until: Timestamp,
}

impl Item for DayText {
    const COLLECTION: &'static str = "daily.texts";

    fn key(&self) -> String {
        self.day.name()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}
