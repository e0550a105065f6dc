//! The command line. Without a command it serves.

mod health;
mod signals;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use self::signals::Signals;
use crate::app::Application;
use crate::module::{linked, render_table, scaffold, wire};
use crate::settings::{Loaded, Sources, load};
use crate::telemetry;

/// The exit code of a server that was not let to finish.
const SECOND_SIGNAL: i32 = 1;

/// The server of a real-time multiplayer typing race.
///
/// Without a command it serves, on port 8080 and with no other service beside it unless settings say
/// otherwise. Settings come from `setting.yaml`, and from the environment: TP_ and the path of a setting
/// with two underscores between the levels, for instance TP_SERVER__PORT=9000.
#[derive(Parser)]
#[command(name = "typephoon-api", version, disable_help_subcommand = true)]
struct Arguments {
    /// The setting file; without it, setting.yaml of the working directory if it is there.
    #[arg(short = 'c', long, value_name = "FILE", global = true)]
    setting: Option<PathBuf>,

    /// A second file, for secrets; it wins over the first.
    #[arg(long = "secret-setting", value_name = "FILE", global = true)]
    secret_setting: Option<PathBuf>,

    /// Bring the tables of the record store up to date, then serve. On SQLite that always happens.
    #[arg(long)]
    init: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print the settings in effect, as YAML, with secrets masked.
    Config,
    /// Print the wiring: which handler module hears, emits and shows what, its routes, sockets, timers.
    Handlers {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask a running server whether it takes players: exits with 0 if it does, else with 1 and says why.
    Health {
        /// The server to ask; without it, the one of the settings on this machine.
        #[arg(long, value_name = "HOST:PORT")]
        at: Option<String>,
    },
    /// Write handlers/NAME.rs: a small working module with a passing test.
    New {
        /// Lowercase letters, digits and underscores.
        name: String,
    },
}

/// Does what the command line says. An error is one sentence on standard error, and a failing exit.
pub fn run() -> ExitCode {
    // `-sc` is how the old backend calls its second file; a single dash takes one letter here.
    let arguments =
        std::env::args_os().map(|it| if it == "-sc" { "--secret-setting".into() } else { it });
    match obey(Arguments::parse_from(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("typephoon-api: {error}");
            ExitCode::FAILURE
        }
    }
}

fn obey(arguments: Arguments) -> Result<(), String> {
    if let Some(Command::New { name }) = &arguments.command {
        let file = scaffold(Path::new("handlers"), name)?;
        print(&format!("wrote {}; `cargo test {name}` tests it\n", file.display()));
        return Ok(());
    }
    if let Some(Command::Health { at: Some(address) }) = &arguments.command {
        return health::ask(address);
    }
    let sources = Sources::from_process(arguments.setting, arguments.secret_setting);
    let loaded = sources.and_then(|sources| load(&sources)).map_err(|error| error.to_string())?;
    match arguments.command {
        Some(Command::Config) => print(&loaded.settings.masked_yaml()),
        Some(Command::Handlers { json }) => {
            let table = wire(&linked(&loaded.settings.handlers.disabled)?)?.table;
            let as_json =
                || serde_json::to_string_pretty(&table).map_err(|error| error.to_string());
            print(&if json { as_json()? + "\n" } else { render_table(&table) });
        }
        Some(Command::Health { .. }) => {
            return health::ask(&health::local(&loaded.settings.server)?);
        }
        Some(Command::New { .. }) | None => return serve(loaded, arguments.init),
    }
    Ok(())
}

/// Prints to somebody who may stop reading, as `head` does: that is no fault.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn serve(Loaded { settings, notes }: Loaded, init: bool) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be started: {error}"))?;
    let telemetry = telemetry::init(&settings)?;
    for note in notes {
        tracing::info!("{note}");
    }
    let served = runtime.block_on(async {
        let signals = Signals::listen();
        let mut signals = signals.map_err(|error| format!("signals cannot be heard: {error}"))?;
        // The start may wait for a database for long.
        let application = tokio::select! {
            built = Application::build(settings, init) => built?,
            () = signals.next() => return Ok(()),
        };
        let stop = CancellationToken::new();
        let twice = async {
            signals.next().await;
            stop.cancel();
            signals.next().await;
        };
        tokio::select! {
            served = application.run_until(stop.cancelled()) => served,
            () = twice => {
                tracing::warn!("a second signal: ended at once");
                std::process::exit(SECOND_SIGNAL);
            }
        }
    });
    telemetry.end();
    served
}
