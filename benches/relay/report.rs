//! Collects what the rounds gave and prints medians, those of one server beside those of another.

use crate::figures::{self, Compared};
use crate::server::Kind;

/// One line of the table: a figure with what each round gave for each server.
pub struct Row {
    name: String,
    unit: &'static str,
    decimals: usize,
    rounds: Vec<(Kind, f64)>,
}

impl Row {
    /// An empty line.
    pub fn new(name: impl Into<String>, unit: &'static str, decimals: usize) -> Self {
        Self { name: name.into(), unit, decimals, rounds: Vec::new() }
    }

    /// Adds what one round gave.
    pub fn add(&mut self, kind: Kind, value: f64) {
        self.rounds.push((kind, value));
    }

    fn median_of(&self, kind: Kind) -> Option<f64> {
        let of_kind = self.rounds.iter().filter(|(it, _)| *it == kind);
        median(of_kind.map(|(_, value)| *value).collect())
    }

    fn cells(&self, pair: [Kind; 2]) -> [String; 4] {
        let [one, other] = pair.map(|kind| self.median_of(kind));
        let cell = |value: Option<f64>, decimals: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
        };
        let both = one.zip(other).filter(|(_, other)| *other > 0.0);
        let ratio = both.map(|(one, other)| one / other);
        let name = format!("{} [{}]", self.name, self.unit);
        [name, cell(one, self.decimals), cell(other, self.decimals), cell(ratio, 3)]
    }
}

/// Notes some of the lines for the table of all benches, under this name.
pub fn note(name: &str, rows: &[Row], wanted: &[&str]) {
    for row in rows.iter().filter(|row| wanted.contains(&&*row.name)) {
        let [server, bare] = [Kind::Server, Kind::Bare].map(|kind| row.median_of(kind));
        let compared = match bare {
            Some(bare) => Compared::Relay(bare),
            None if row.name.starts_with("CPU") => Compared::Frame,
            None => Compared::Alone,
        };
        if let Some(server) = server {
            figures::note(&format!("{name}: {}", row.name), row.unit, server, compared);
        }
    }
}

/// The same for another pair of servers.
pub fn note_pair(name: &str, pair: [Kind; 2], rows: &[Row], wanted: &[&str]) {
    for row in rows.iter().filter(|row| wanted.contains(&&*row.name)) {
        let [one, other] = pair.map(|kind| row.median_of(kind));
        if let Some((one, other)) = one.zip(other) {
            let name = format!("{name}: {}, positions in place of the relay", row.name);
            figures::note(&name, row.unit, one, Compared::Relay(other));
        }
    }
}

/// Prints the lines as an aligned table.
pub fn print(title: &str, pair: [Kind; 2], rows: &[Row]) {
    println!("\n{title}");
    let [one, other] = pair.map(Kind::title);
    print_line(&["", one, other, "ratio"].map(str::to_owned));
    for row in rows {
        print_line(&row.cells(pair));
    }
}

fn print_line([name, one, other, ratio]: &[String; 4]) {
    println!("  {name:<44}{one:>12}{other:>12}{ratio:>12}");
}

/// The middle value; the mean of the two middle ones when their number is even.
fn median(mut sorted: Vec<f64>) -> Option<f64> {
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}
