//! What a relayed keystroke, an idle game socket and a start cost, beside a bare relay.
//!
//! Figures, not verdicts: nothing here fails because a number is bad. The server and a bare, single-threaded
//! `tokio-tungstenite` relay (`bare_relay.rs`) run as processes of their own, in turns, under one load generator, so
//! that the ratio means something on any machine; the absolute figures hold for the machine they were taken on.
//! The servers run on the first core, the load generator on the second, since the bare relay uses one core.
//!
//! ```text
//! cargo bench --bench relay                                    everything: loads, joins, memory, start, telemetry (about 20 minutes)
//! cargo bench --bench relay -- cpu --loads 200:5 --seconds 5   one load only: 200 players in races of five
//! cargo bench --bench relay -- joins --guests 5000             arriving guests, and results
//! cargo bench --bench relay -- joins --at-once 5000            all of them at once
//! cargo bench --bench relay -- memory --sockets 2000           resident memory and CPU time of idle game sockets
//! cargo bench --bench relay -- start                           from spawn to `/healthcheck/ready`
//! cargo bench --bench relay -- telemetry                       what exported traces cost, beside a server without
//! cargo bench --bench relay -- telemetry --collector hung      the same with a collector that never answers
//! cargo bench --bench relay -- stalled --sockets 1000          resident memory while clients stall (when it is named)
//! cargo bench --bench relay -- cpu --server server             one of the two servers alone
//! cargo bench --bench relay -- formats --loads 200:5            clients that send edits, beside those that send positions
//! cargo bench --bench relay -- cpu --spread                    server and load generator on all cores
//! cargo bench --bench relay -- cpu --beside old/typephoon-api  in turns with another build of the server, too
//! ```
//!
//! Settings in the environment (`TP_…`, `OTEL_…`) reach the server, so what a setting costs can be seen by running
//! twice; only address, data directory, countdowns, limits and `game.check_results` are set here. Linux only: it reads `/proc`.

mod bare_relay;
#[path = "../figures/mod.rs"]
mod figures;
mod idle;
mod joins;
mod load;
mod meter;
mod players;
mod proc;
mod report;
mod server;
mod sink;
mod stalled;
mod start;

use clap::{Parser, ValueEnum};
use load::Load;
use server::Kind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;

/// Whatever stops a measurement: told to the person at the terminal, never looked into.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The argument with which this program starts itself as the bare relay.
const BARE_RELAY: &str = "bare-relay";

/// The lines for the table of all benches.
const NOTED: &[&str] = &[
    "CPU per delivered frame",
    "relay latency, 99th percentile",
    "CPU per join",
    "joins",
    "from connecting to the token, 99th percentile",
    "CPU per result",
    "start with the data of the first",
];

/// Without `--spread`: the core of the servers, and that of the load generator.
const SERVERS_CORE: usize = 0;
const GENERATORS_CORE: usize = 1;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// CPU per keystroke and per delivered frame, and relay latency.
    Cpu,
    /// The same for clients that send edits, beside those that send positions.
    Formats,
    /// Guests taking seats and fetching tokens, and results.
    Joins,
    /// Resident memory and CPU time of idle game sockets.
    Memory,
    /// Time from spawn until the server is ready.
    Start,
    /// The same as `cpu` for a server that exports traces, as far as its defaults go, and one that does not.
    Telemetry,
    /// Resident memory while sockets are not read and requests are not finished; only when it is named.
    Stalled,
}

#[derive(Parser)]
#[command(about = "Compares the server with the bare relay")]
struct Options {
    /// What to measure; everything when none is named.
    parts: Vec<Part>,
    /// Players of a load, and of each of its races; several loads are measured one after the other.
    #[arg(long, value_delimiter = ',', value_parser = players_and_race, default_values = ["200:5", "2000:5", "80:20", "50:50"])]
    loads: Vec<(usize, usize)>,
    /// Keystrokes of each player in a second.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// How long each load is measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Guests of `joins`.
    #[arg(long, default_value_t = 2_000)]
    guests: usize,
    /// Guests on their way to a seat and a token at the same time.
    #[arg(long, default_value_t = 32)]
    at_once: usize,
    /// Idle game sockets.
    #[arg(long, value_delimiter = ',', default_values_t = [2_000, 10_000])]
    sockets: Vec<usize>,
    /// How often the servers take turns; medians are printed.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure one server alone.
    #[arg(long)]
    server: Option<Kind>,
    /// Leaves all cores to the servers and the load generator, instead of one core each.
    #[arg(long)]
    spread: bool,
    /// Another build of the server, to be measured in turns with this one in `cpu`.
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Which server is beside the plain one in `telemetry`.
    #[arg(long, value_enum, default_value_t = Kind::Traced)]
    collector: Kind,
    /// Given by `cargo bench`; means nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    /// The turns to take: server, bare relay, server, bare relay …
    fn turns<const N: usize>(&self, kinds: [Kind; N]) -> impl Iterator<Item = Kind> {
        (0..self.rounds)
            .flat_map(move |_| kinds)
            .filter(|kind| self.server.is_none_or(|only| only == *kind))
    }

    fn loads(&self) -> impl Iterator<Item = Load> {
        let (rate, span) = (self.rate, Duration::from_secs(self.seconds));
        self.loads.iter().map(move |&(players, race)| Load { players, race, rate, span })
    }
}

/// `200:5`, or `200` for races of five.
fn players_and_race(text: &str) -> Result<(usize, usize), std::num::ParseIntError> {
    let (players, race) = text.split_once(':').unwrap_or((text, "5"));
    Ok((players.parse()?, race.parse()?))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    if std::env::args().nth(1).as_deref() == Some(BARE_RELAY) {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        return Ok(runtime.block_on(bare_relay::serve())?);
    }
    let options = Options::parse();
    server::set_up(options.beside.clone(), (!options.spread).then_some(SERVERS_CORE));
    if !options.spread {
        proc::pin_this(GENERATORS_CORE)?;
    }
    // Two threads, so that the generator leaves something of a small machine to the server it measures.
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(&options))
}

async fn measure(options: &Options) -> Outcome<()> {
    let (pair, traced) = ([Kind::Server, Kind::Bare], [options.collector, Kind::Server]);
    for load in options.loads().filter(|_| options.wants(Part::Cpu)) {
        let title = load.title(options.rounds);
        if options.beside.is_none() {
            let rows = load::compare(options.turns(pair), load).await?;
            report::print(&title, pair, &rows);
            report::note(&format!("relay, {}", load.name()), &rows, NOTED);
            continue;
        }
        let kinds = [Kind::Server, Kind::Bare, Kind::Beside];
        let rows = load::compare(options.turns(kinds), load).await?;
        report::print(&title, pair, &rows);
        report::print(&title, [Kind::Server, Kind::Beside], &rows);
    }
    let formats = [Kind::Edits, Kind::Server];
    for load in options.loads().filter(|_| options.wants(Part::Formats)) {
        let rows = load::compare(options.turns(formats), load).await?;
        report::print(&load.title(options.rounds), formats, &rows);
        report::note_pair(&format!("edits, {}", load.name()), formats, &rows, NOTED);
    }
    for load in options.loads().filter(|_| options.wants(Part::Telemetry)) {
        let rows = load::compare(options.turns(traced), load).await?;
        report::print(&load.title(options.rounds), traced, &rows);
    }
    if options.wants(Part::Joins) {
        let (guests, at_once) = (options.guests, options.at_once);
        let title =
            format!("{guests} guests, {at_once} at once, medians of rounds: {}", options.rounds);
        let rows = joins::compare(options.turns(pair), (guests, at_once)).await?;
        report::print(&title, pair, &rows);
        report::note(&format!("joins, {at_once} at once"), &rows, NOTED);
    }
    if options.wants(Part::Memory) {
        let title = format!(
            "idle game sockets, resident memory per socket, medians of rounds: {}",
            options.rounds
        );
        let rows = idle::compare(options.turns(pair), &options.sockets).await?;
        report::print(&title, pair, &rows);
        report::note("idle sockets, memory of each", &rows, &["2000 sockets", "10000 sockets"]);
        report::note("idle sockets", &rows, &[idle::CPU]);
    }
    if options.wants(Part::Start) {
        let title = format!("from spawn to ready, medians of rounds: {}", options.rounds);
        let rows = start::compare(options.turns(pair)).await?;
        report::print(&title, pair, &rows);
        report::note("start", &rows, NOTED);
    }
    if options.parts.contains(&Part::Stalled) {
        for &count in &options.sockets {
            let rows = stalled::measure(count).await?;
            report::print("resident memory while clients stall", pair, &rows);
        }
    }
    Ok(())
}
