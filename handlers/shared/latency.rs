//! Latency: how much later than they were typed a player's keys arrive.
//!
//! A player's clock begins when START arrives, so the latency of a connection costs neither speed nor rank. Clients that send
//! edits state their clock. For others the delay of START and of the last key is estimated, as the round trip of pings. Neither
//! is trusted beyond that round trip, nor beyond [`MADE_UP`].

use std::time::Duration;

/// Longest latency that is made up for: a client can answer pings late on purpose.
pub const MADE_UP: Duration = Duration::from_millis(500);

/// How long a client may gather edits, and a little more, since round trips vary.
pub const GATHERED: Duration = Duration::from_millis(60);

/// The latency of a key, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How much later it arrived than it was typed, by a clock that began when START arrived.
    pub late: u16,
    /// The round trip of the connection.
    pub round_trip: u16,
}

impl Latency {
    /// That of a connection with this round trip, if it was measured.
    pub fn of(round_trip: Option<Duration>) -> Self {
        let round_trip = millis(round_trip.unwrap_or_default());
        Self { late: round_trip, round_trip }
    }

    /// That of an edit which was made at `at` by the client's clock, and arrived at `heard` by the server's, both in
    /// milliseconds since START.
    pub fn claimed(round_trip: Option<Duration>, heard: u32, at: u32) -> Self {
        let most = round_trip.map_or(Duration::ZERO, |it| it + GATHERED);
        let late = Duration::from_millis(heard.saturating_sub(at).into());
        Self { late: millis(late.min(most)), ..Self::of(round_trip) }
    }
}

fn millis(time: Duration) -> u16 {
    u16::try_from(time.min(MADE_UP).as_millis()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_clock_counts_within_the_measured_round_trip() {
        let claimed = |round_trip, heard, at| {
            Latency::claimed(Some(Duration::from_millis(round_trip)), heard, at).late
        };
        assert_eq!(claimed(200, 10_200, 10_000), 200);
        assert_eq!(claimed(200, 10_230, 10_000), 230, "it gathers edits");
        assert_eq!(claimed(20, 10_200, 10_000), 80, "more than the connection takes");
        assert_eq!(claimed(9_000, 19_000, 10_000), 500, "pings that are answered late");
        assert_eq!(claimed(20, 10_000, 10_200), 0, "a clock that runs ahead");
        assert_eq!(Latency::claimed(None, 10_200, 10_000).late, 0, "not measured");
    }

    #[test]
    fn without_a_clock_the_round_trip_is_the_estimate() {
        let of = |round_trip| Latency::of(Some(Duration::from_millis(round_trip)));
        assert_eq!(of(35), Latency { late: 35, round_trip: 35 });
        assert_eq!(of(9_000), Latency { late: 500, round_trip: 500 });
        assert_eq!(Latency::of(None), Latency::default());
    }
}
