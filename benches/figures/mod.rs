//! The figures that benches note for the one table of all (`benches/table.rs`), one per line of a file in the folder of
//! the build. A module of each bench, not a bench.

#![allow(dead_code, reason = "benches write figures, and the table reads them")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long figures count as those of one run.
const RUN: Duration = Duration::from_secs(3 * 3600);

/// What a figure is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compared {
    /// Nothing.
    Alone,
    /// The figure of the bare relay under the same load.
    Relay(f64),
    /// The CPU time that the bare relay takes per delivered frame.
    Frame,
}

#[derive(Debug)]
pub struct Figure {
    pub name: String,
    pub unit: String,
    pub value: f64,
    pub compared: Compared,
}

fn place() -> PathBuf {
    [env!("CARGO_TARGET_TMPDIR"), "figures.tsv"].iter().collect()
}

/// Notes a figure. The newest one of a name counts.
pub fn note(name: &str, unit: &str, value: f64, compared: Compared) {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let compared = match compared {
        Compared::Alone => String::new(),
        Compared::Relay(relay) => relay.to_string(),
        Compared::Frame => "frame".into(),
    };
    let noted = File::options()
        .create(true)
        .append(true)
        .open(place())
        .and_then(|mut file| writeln!(file, "{at}\t{name}\t{unit}\t{value}\t{compared}"));
    if let Err(error) = noted {
        eprintln!("{name} is missing in the table: {error}");
    }
}

/// The figures of this run, each at the first place of its name.
pub fn all() -> io::Result<Vec<Figure>> {
    let since = SystemTime::now() - RUN;
    let mut figures: Vec<Figure> = Vec::new();
    for (at, figure) in fs::read_to_string(place())?.lines().filter_map(read) {
        if at < since {
            continue;
        }
        match figures.iter_mut().find(|it| it.name == figure.name) {
            Some(known) => *known = figure,
            None => figures.push(figure),
        }
    }
    Ok(figures)
}

fn read(line: &str) -> Option<(SystemTime, Figure)> {
    let [at, name, unit, value, compared] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let compared = match compared {
        "" => Compared::Alone,
        "frame" => Compared::Frame,
        relay => Compared::Relay(relay.parse().ok()?),
    };
    let (name, unit, value) = (name.to_owned(), unit.to_owned(), value.parse().ok()?);
    let at = UNIX_EPOCH + Duration::from_secs(at.parse().ok()?);
    Some((at, Figure { name, unit, value, compared }))
}
