//! One table of what the other benches have noted, with ratios to the bare relay. `cargo bench` runs all of them, this
//! one last; `cargo bench --bench table` prints the figures of the last three hours.
//!
//! A ratio compares with the bare relay under the same load. What a bare relay does not do is compared with the CPU time
//! that it takes per delivered frame, in races of five: a join with a ratio of 100 costs as much as 100 of its frames.

mod figures;

use std::io;

use figures::{Compared, Figure};

/// The figure whose relay stands for the bare relay's frame.
const FRAME: &str = "relay, 200 players in races of 5: CPU per delivered frame";

fn main() -> io::Result<()> {
    let figures = figures::all()?;
    let frame = figures.iter().find(|it| it.name == FRAME).and_then(|it| match it.compared {
        Compared::Relay(relay) => Some(relay),
        _ => None,
    });
    println!("{:80} {:>10} {:>10} {:>9}", "", "server", "bare relay", "ratio");
    for Figure { name, unit, value, compared } in &figures {
        let micros = match &**unit {
            "ns" => value / 1e3,
            "ms" => value * 1e3,
            _ => *value,
        };
        let (relay, ratio) = match (compared, frame) {
            (Compared::Relay(relay), _) => (format!("{relay:.2}"), Some(value / relay)),
            (Compared::Frame, Some(frame)) => (String::new(), Some(micros / frame)),
            _ => (String::new(), None),
        };
        let ratio = ratio.filter(|ratio| ratio.is_finite());
        let digits = |ratio: f64| if ratio < 0.1 { 4 } else { usize::from(ratio < 10.0) * 2 };
        let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.*}", digits(ratio)));
        println!("{:80} {value:>10.2} {relay:>10} {ratio:>9}", format!("{name} [{unit}]"));
    }
    Ok(())
}
