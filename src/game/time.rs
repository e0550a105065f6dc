//! Points in time, the same for all pods that share a game, and for the records.

use std::fmt;
use std::time::Duration;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

/// Microseconds since 1970-01-01T00:00:00Z: exact in JSON, in SQLite and in PostgreSQL.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
#[salvo(schema(name = "Timestamp"))]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The current time, by the clock of the process, which follows that of Redis where pods share their games. A step
    /// of the wall clock does not make it jump (`src/clock.rs`).
    pub fn now() -> Self {
        crate::clock::now()
    }

    /// The time from `now` until this instant; zero if it has passed.
    pub fn after(self, now: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(now.0).max(0).unsigned_abs())
    }

    /// The same instant as a calendar date, for the record store.
    pub fn to_datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Whole seconds since 1970, as tokens state them (RFC 7519, NumericDate).
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// ISO 8601 with six digits and `+00:00`, as results state `finished`.
    pub fn with_offset(self) -> String {
        format!("{self}+00:00")
    }

    /// ISO 8601 with six digits and `Z`, as profiles state `finished_at`.
    pub fn with_z(self) -> String {
        format!("{self}Z")
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// The date and time in UTC, without an offset: `2026-11-22T17:23:31.642285`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]"
        );
        f.write_str(&self.to_datetime().format(&format).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_to_the_microsecond() {
        let at = Timestamp(1_795_368_211_642_285);
        assert_eq!(at.with_offset(), "2026-11-22T17:23:31.642285+00:00");
        assert_eq!(at.with_z(), "2026-11-22T17:23:31.642285Z");
        assert_eq!(Timestamp::from(at.to_datetime()), at);
    }

    #[test]
    fn what_has_passed_is_zero_away() {
        let now = Timestamp(5_000_000);
        assert_eq!((now + Duration::from_secs(2)).after(now), Duration::from_secs(2));
        assert_eq!((now - Duration::from_secs(2)).after(now), Duration::ZERO);
    }
}
