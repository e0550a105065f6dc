//! The report of a run: the table, and the shape of the JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::monitor::Series;
use crate::options::Options;
use crate::rhythm::Typing;
use crate::stats::{Counts, Stats, Summary};

/// The report. Times are in milliseconds, memory in MiB.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The load, in words.
    pub load: String,
    /// The servers.
    pub urls: Vec<String>,
    /// The processes measured.
    pub pids: Vec<u32>,
    /// Totals.
    pub counts: Counts,
    /// Seats taken in the best second.
    pub joins_per_second_most: f64,
    /// Time from sending a keystroke to its arrival at another player.
    pub relay: Summary,
    /// Time from connecting to INIT.
    pub to_init: Summary,
    /// Time from connecting to the guest's token.
    pub to_token: Summary,
    /// Time from losing a game socket to opening the next one.
    pub reopening: Summary,
    /// Delay of keys behind their schedule.
    pub lateness: Summary,
    /// Percentiles of the relay latency with their milliseconds.
    pub relay_curve: Vec<(f64, f64)>,
    /// Failures, by kind.
    pub errors: BTreeMap<String, u64>,
    /// The samples, one per second.
    #[serde(flatten)]
    pub series: Series,
}

impl Report {
    /// The report of a finished run.
    pub fn new(options: &Options, stats: &Stats, series: Series) -> Self {
        let most = series.samples.iter().map(|it| it.joins).fold(0.0, f64::max);
        Self {
            load: describe(options),
            urls: options.urls.iter().map(|it| it.host.clone()).collect(),
            pids: options.pids.clone(),
            counts: stats.counts,
            joins_per_second_most: most,
            relay: stats.relay.summary(),
            to_init: stats.to_init.summary(),
            to_token: stats.to_token.summary(),
            reopening: stats.reopening.summary(),
            lateness: stats.lateness.summary(),
            relay_curve: stats.relay.curve(),
            errors: stats.errors.clone(),
            series,
        }
    }

    /// The summary for a terminal.
    pub fn table(&self) -> String {
        let mut table = String::new();
        for (name, value) in self.rows() {
            let _ = writeln!(table, "{name:<30}{value}");
        }
        for (kind, count) in &self.errors {
            let _ = writeln!(table, "  {count:>10}  {kind}");
        }
        table
    }

    /// Name and value of each line, without the errors.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let (counts, window) = (&self.counts, &self.series.window);
        let due = counts.delivered + counts.lost;
        let lost = if due > 0 { 100.0 * counts.lost as f64 / due as f64 } else { 0.0 };
        let mut rows = vec![
            ("load", self.load.clone()),
            (
                "joins",
                format!("{}, at most {:.0} a second", counts.joins, self.joins_per_second_most),
            ),
            ("  connect to INIT", times(&self.to_init)),
            ("  connect to token", times(&self.to_token)),
            (
                "races",
                format!(
                    "{} START, {} finished, {} results",
                    counts.starts, counts.finishes, counts.results
                ),
            ),
            ("keystrokes", counts.sent.to_string()),
            ("delivered frames", format!("{} of {due} due", counts.delivered)),
            ("  lost", format!("{} ({lost:.3} %)", counts.lost)),
            ("  doubled", counts.doubled.to_string()),
            ("relay latency", times(&self.relay)),
            (
                "measured",
                format!(
                    "{:.1} s: {} delivered frames, {:.0} a second",
                    window.seconds, window.delivered, window.delivered_per_second
                ),
            ),
            (
                "generator",
                format!("{:.2} cores, keys late by {}", window.own_cores, times(&self.lateness)),
            ),
        ];
        rows.extend(self.rows_if_any());
        rows.push(("errors", counts.errors.to_string()));
        rows
    }

    /// Lines for figures that not every run has.
    fn rows_if_any(&self) -> Vec<(&'static str, String)> {
        let (counts, Series { window, memory_before, memory_most, sockets_most, .. }) =
            (&self.counts, &self.series);
        let reopened = format!("{}, {}", counts.reopened, times(&self.reopening));
        let cpu = format!(
            "{:.2} s, {:.2} s per million delivered frames",
            window.cpu_seconds, window.cpu_seconds_per_million
        );
        let memory = format!(
            "{memory_before:.1} MiB before, {memory_most:.1} MiB at most, with {sockets_most} sockets at most"
        );
        [
            (counts.reopened > 0, "reopened sockets", reopened),
            (counts.reopened > 0, "  frames to catch up", counts.caught_up.to_string()),
            (
                counts.lost_to_slow_readers > 0,
                "left out for slow readers",
                counts.lost_to_slow_readers.to_string(),
            ),
            (
                counts.of_strangers > 0,
                "frames of bots and strangers",
                counts.of_strangers.to_string(),
            ),
            (!self.pids.is_empty(), "CPU of the server", cpu),
            (!self.pids.is_empty(), "memory of the server", memory),
        ]
        .into_iter()
        .filter_map(|(is_there, name, value)| is_there.then_some((name, value)))
        .collect()
    }
}

fn times(summary: &Summary) -> String {
    let Summary { count, p50, p99, p999, max, .. } = summary;
    if *count == 0 {
        return "-".into();
    }
    format!("p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, max {max:.1} ms")
}

fn describe(options: &Options) -> String {
    let mut typing = match options.typing() {
        Typing::Fixed(rate) => format!("{rate} keys a second each"),
        Typing::Rhythms { slowest, fastest } => format!("{slowest} to {fastest} words per minute"),
        Typing::Recorded => "recorded speeds".into(),
    };
    if let Some(rhythms) = &options.rhythms {
        let _ = write!(typing, ", rhythms of {}", rhythms.file);
    }
    let mut load =
        format!("{} players, {} arrivals a second, {typing}", options.players, options.arrival);
    let _ = write!(load, ", format {}", options.format.name());
    if let Some(seconds) = options.seconds {
        let _ = write!(load, ", {seconds} s");
    }
    if options.warm_up > 0.0 {
        let _ = write!(load, " of which {} s warm-up", options.warm_up);
    }
    match options.rounds() {
        u32::MAX => {}
        1 => load += ", one race each",
        rounds => {
            let _ = write!(load, ", {rounds} races each");
        }
    }
    if options.endless {
        load += ", endless texts";
    }
    for (count, what) in [
        (options.slow_readers, "slow readers"),
        (options.reconnects, "reconnects"),
        (options.addresses, "client addresses"),
    ] {
        if count > 0 {
            let _ = write!(load, ", {count} {what}");
        }
    }
    load
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_report_names_what_changes_the_load() {
        let described = |arguments: &str| {
            let words = format!("typephoon-load {arguments}");
            describe(&Options::try_parse_from(words.split_whitespace()).expect("valid options"))
        };
        assert_eq!(
            described(""),
            "10 players, 50 arrivals a second, 40 to 90 words per minute, format v1, one race each"
        );
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rhythms.txt");
        let load = described(&format!(
            "--rhythms {file} --format v2 --seconds 9 --endless --slow-readers 2 --addresses 500"
        ));
        let speeds =
            format!("10 players, 50 arrivals a second, recorded speeds, rhythms of {file}");
        let rest = "format v2, 9 s, endless texts, 2 slow readers, 500 client addresses";
        assert_eq!(load, format!("{speeds}, {rest}"));
    }
}
