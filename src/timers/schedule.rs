//! Schedules of clocks: when their turns begin. All in UTC, and the same for all pods.

use std::fmt;
use std::time::Duration;

use time::Time;

use crate::game::Timestamp;

/// Microseconds of a day. Leap seconds are not counted, as in Unix time.
const DAY: i64 = 24 * 3600 * 1_000_000;

/// When the turns of a clock begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At each whole multiple of this period since 1970.
    Every(Duration),
    /// Once a day, at this time of the day.
    Daily(Time),
}

impl Schedule {
    /// The period, and the begin of some turn, in microseconds.
    fn rhythm(self) -> (i64, i64) {
        match self {
            Self::Every(period) => (i64::try_from(period.as_micros()).unwrap_or(DAY).max(1), 0),
            Self::Daily(at) => {
                let (hours, minutes, seconds, micros) = at.as_hms_micro();
                let seconds =
                    i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
                (DAY, seconds * 1_000_000 + i64::from(micros))
            }
        }
    }

    /// The beginning of the turn in which `now` lies.
    pub(crate) fn turn_at(self, now: Timestamp) -> Timestamp {
        let (period, begin) = self.rhythm();
        Timestamp(now.0 - (now.0 - begin).rem_euclid(period))
    }

    /// The beginning of the turn after this one.
    pub(crate) fn after(self, turn: Timestamp) -> Timestamp {
        Timestamp(turn.0.saturating_add(self.rhythm().0))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(period) if period.subsec_nanos() > 0 => write!(f, "every {period:?}"),
            Self::Every(period) => match period.as_secs() {
                hours if hours % 3600 == 0 => write!(f, "every {} h", hours / 3600),
                minutes if minutes % 60 == 0 => write!(f, "every {} min", minutes / 60),
                seconds => write!(f, "every {seconds} s"),
            },
            Self::Daily(at) => write!(f, "daily at {:02}:{:02} UTC", at.hour(), at.minute()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::time;

    use super::*;

    const NOON: Timestamp = Timestamp(1_795_694_400_000_000);

    fn turn(schedule: Schedule, now: Timestamp) -> (String, String) {
        let turn = schedule.turn_at(now);
        (turn.to_string()[..19].to_owned(), schedule.after(turn).to_string()[..19].to_owned())
    }

    #[test]
    fn turns_begin_at_round_times_of_utc() {
        assert_eq!(NOON.to_string(), "2026-11-26T12:00:00.000000");
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let ten_minutes = Schedule::Every(Duration::from_secs(600));
        let later = NOON + Duration::from_secs(1_799);
        assert_eq!(turn(ten_minutes, later), pair("2026-11-26T12:20:00", "2026-11-26T12:30:00"));
        let morning = Schedule::Daily(time!(03:30));
        assert_eq!(turn(morning, NOON), pair("2026-11-26T03:30:00", "2026-11-27T03:30:00"));
        let night = Schedule::Daily(time!(23:00));
        assert_eq!(turn(night, NOON), pair("2026-11-25T23:00:00", "2026-11-26T23:00:00"));
    }

    proptest! {
        #[test]
        fn each_moment_lies_in_one_turn(
            now in -4_000_000_000_000_000..4_000_000_000_000_000_i64, period in 1..90_000_u64,
        ) {
            for schedule in [Schedule::Every(Duration::from_secs(period)), Schedule::Daily(time!(07:45))] {
                let turn = schedule.turn_at(Timestamp(now));
                let next = schedule.after(turn);
                prop_assert!(turn.0 <= now && now < next.0);
                prop_assert_eq!(schedule.turn_at(turn), turn);
                prop_assert_eq!(schedule.turn_at(Timestamp(next.0 - 1)), turn);
            }
        }
    }

    #[test]
    fn a_schedule_is_shown_in_words() {
        let shown = |seconds| Schedule::Every(Duration::from_secs(seconds)).to_string();
        assert_eq!(
            [shown(7200), shown(600), shown(90)],
            ["every 2 h", "every 10 min", "every 90 s"]
        );
        assert_eq!(Schedule::Every(Duration::from_millis(1500)).to_string(), "every 1.5s");
        assert_eq!(Schedule::Daily(time!(3:05)).to_string(), "daily at 03:05 UTC");
    }
}
