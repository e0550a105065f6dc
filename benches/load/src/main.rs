//! `typephoon-load` plays races against a server, using only the public contract, and reports what it measures.
//!
//! ```text
//! cargo run --release -p typephoon-load -- --url http://127.0.0.1:8080 --players 200 --pid $(pidof typephoon-api)
//! ```
//!
//! All players run on one thread: each is a task, each socket a bare stream ([`socket`]), and received frames are
//! matched with sent ones by player and position ([`game`]). `--help` lists the options, `docs/performance.md`
//! describes its use. Linux only: it reads `/proc`.

mod format;
mod game;
mod html;
mod http;
mod monitor;
mod options;
mod player;
mod proc;
mod race;
mod report;
mod rhythm;
mod run;
mod socket;
mod stats;
mod svg;

use std::process::ExitCode;
use std::rc::Rc;

use clap::Parser;
use tokio::task::LocalSet;

use options::Options;
use report::Report;
use run::Run;

fn main() -> ExitCode {
    match measure(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: Options) -> std::io::Result<()> {
    let files = proc::raise_open_files();
    // Per player: a socket, and at times a connection for requests.
    if files < u64::from(options.players) * 5 / 4 + 50 {
        eprintln!(
            "only {files} files may be open: raise the limit (ulimit -n) for so many players"
        );
    }
    let (json, html) = (options.json.clone(), options.html.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = Rc::new(Run::new(options));
    let series = LocalSet::new().block_on(&runtime, run::play(&run));
    let report = Report::new(&run.options, &run.stats.borrow(), series);
    print!("{}", report.table());
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    if let Some(path) = html {
        std::fs::write(path, html::page(&report))?;
    }
    Ok(())
}
