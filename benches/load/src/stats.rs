//! Counters and histograms of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Times in microseconds, up to a minute, to three digits.
#[derive(Debug)]
pub struct Times(Histogram<u32>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds that fit"))
    }
}

impl Times {
    /// Adds a time; more than a minute counts as a minute.
    pub fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Clears the histogram.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// The figures of a report.
    pub fn summary(&self) -> Summary {
        let milliseconds = |micros: u64| micros as f64 / 1e3;
        let at = |percentile| milliseconds(self.0.value_at_percentile(percentile));
        Summary {
            count: self.0.len(),
            mean: self.0.mean() / 1e3,
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p999: at(99.9),
            max: milliseconds(self.0.max()),
        }
    }

    /// The curve of a plot: percentiles that approach 100 geometrically, with their milliseconds.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let nines = (0..=40).map(|step| 100.0 - 100.0 / 10_f64.powf(f64::from(step) / 10.0));
        // Beyond the last value, the maximum repeats.
        let known = nines.filter(|it| (100.0 - it) / 100.0 * self.0.len() as f64 >= 0.5);
        known.map(|it| (it, self.0.value_at_percentile(it) as f64 / 1e3)).collect()
    }
}

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Number of values.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99.9th percentile.
    pub p999: f64,
    /// The maximum.
    pub max: f64,
}

/// Totals since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Seats taken in a lobby.
    pub joins: u64,
    /// START frames received.
    pub starts: u64,
    /// Texts typed to their end.
    pub finishes: u64,
    /// Results that the server returned afterwards.
    pub results: u64,
    /// Game sockets reopened in mid-race.
    pub reopened: u64,
    /// Keystrokes sent.
    pub sent: u64,
    /// Frames of other players that arrived in time.
    pub delivered: u64,
    /// Frames that never arrived. A server may skip a position if the receiver is slow and a newer one follows.
    pub lost: u64,
    /// Lost frames of slow readers, which are intended.
    pub lost_to_slow_readers: u64,
    /// Frames that arrived again, or after a newer one.
    pub doubled: u64,
    /// Positions that a socket received because it had just opened.
    pub caught_up: u64,
    /// Frames of players that the generator does not play, such as bots.
    pub of_strangers: u64,
    /// Sum of [`Stats::errors`].
    pub errors: u64,
}

/// All counters and histograms.
#[derive(Debug, Default)]
pub struct Stats {
    /// Totals.
    pub counts: Counts,
    /// Open sockets of lobbies and races.
    pub open_sockets: u64,
    /// Time from sending a keystroke to its arrival at another player.
    pub relay: Times,
    /// The same since the last sample.
    pub relay_of_late: Times,
    /// Time from connecting to INIT.
    pub to_init: Times,
    /// Time from connecting to the guest's token.
    pub to_token: Times,
    /// Time from losing a game socket to opening the next one.
    pub reopening: Times,
    /// Delay of keys behind their schedule: the generator's own.
    pub lateness: Times,
    /// Failures, by kind.
    pub errors: BTreeMap<String, u64>,
}

impl Stats {
    /// Counts a failure.
    pub fn note_error(&mut self, kind: String) {
        self.counts.errors += 1;
        *self.errors.entry(kind).or_default() += 1;
    }

    /// Counts a delivered frame, with its latency.
    pub fn note_delivered(&mut self, after: Duration) {
        self.counts.delivered += 1;
        self.relay.add(after);
        self.relay_of_late.add(after);
    }

    /// Ends the warm-up: clears the times so far.
    pub fn end_warm_up(&mut self) {
        self.relay.clear();
        self.lateness.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut times = Times::default();
        (1..=1000).for_each(|it| times.add(Duration::from_millis(it)));
        let summary = times.summary();
        assert_eq!(summary.count, 1000);
        for (is, should) in [
            (summary.mean, 500.5),
            (summary.p50, 500.0),
            (summary.p90, 900.0),
            (summary.p99, 990.0),
            (summary.p999, 999.0),
            (summary.max, 1000.0),
        ] {
            assert!((is - should).abs() / should < 0.002, "{is} instead of {should}");
        }
    }

    #[test]
    fn a_time_beyond_the_bounds_is_kept_as_the_bound() {
        let mut times = Times::default();
        times.add(Duration::ZERO);
        times.add(Duration::from_hours(1));
        assert_eq!(times.summary().count, 2);
        assert!(times.summary().max >= 60_000.0);
    }

    #[test]
    fn a_curve_ends_where_the_values_do() {
        let mut times = Times::default();
        assert!(times.curve().is_empty());
        (1..=1000).for_each(|it| times.add(Duration::from_millis(it)));
        let curve = times.curve();
        let (last, most) = *curve.last().expect("a curve");
        assert!((99.9..99.96).contains(&last) && most >= 999.0, "{last} {most}");
        assert!(curve.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
    }

    #[test]
    fn errors_are_counted_by_kind() {
        let mut stats = Stats::default();
        for kind in ["lobby: HTTP 429", "lobby: HTTP 429", "game socket: closed 4008"] {
            stats.note_error(kind.into());
        }
        assert_eq!(stats.counts.errors, 3);
        assert_eq!(stats.errors["lobby: HTTP 429"], 2);
    }
}
