//! Collects what the rounds gave and prints medians, ours beside the thin relay's.

use crate::server::Kind;

/// One line of the table: a figure with what each round gave for each server.
pub struct Row {
    name: String,
    unit: &'static str,
    decimals: usize,
    ours: Vec<f64>,
    thin: Vec<f64>,
}

impl Row {
    /// An empty line.
    pub fn new(name: impl Into<String>, unit: &'static str, decimals: usize) -> Self {
        Self { name: name.into(), unit, decimals, ours: Vec::new(), thin: Vec::new() }
    }

    /// Adds what one round gave.
    pub fn add(&mut self, kind: Kind, value: f64) {
        match kind {
            Kind::Ours => self.ours.push(value),
            Kind::Thin => self.thin.push(value),
        }
    }

    fn cells(&self) -> [String; 4] {
        let (ours, thin) = (median(&self.ours), median(&self.thin));
        let cell = |value: Option<f64>, decimals: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
        };
        let ratio = ours.zip(thin).filter(|(_, thin)| *thin > 0.0).map(|(ours, thin)| ours / thin);
        let name = format!("{} [{}]", self.name, self.unit);
        [name, cell(ours, self.decimals), cell(thin, self.decimals), cell(ratio, 2)]
    }
}

/// Prints the lines as an aligned table.
pub fn print(title: &str, rows: &[Row]) {
    println!("\n{title}");
    print_line(&["", "ours", "thin relay", "ours/thin"].map(str::to_owned));
    for row in rows {
        print_line(&row.cells());
    }
}

fn print_line([name, ours, thin, ratio]: &[String; 4]) {
    println!("  {name:<44}{ours:>12}{thin:>12}{ratio:>12}");
}

/// The middle value; the mean of the two middle ones when their number is even.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}
