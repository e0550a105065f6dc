//! The command line. Without a command it starts the server.

mod commands;
mod health;
mod signals;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use self::commands::Asked;
use self::signals::Signals;
use crate::app::Application;
use crate::module::{Feature, linked, render_table, scaffold, wire};
use crate::settings::{Loaded, Sources, load};
use crate::telemetry;

/// The exit code after a second signal, which ends the server without cleanup.
const SECOND_SIGNAL: i32 = 1;

/// The server of a real-time multiplayer typing race.
///
/// Without a command it starts the server, by default on port 8080 and without any other service.
/// Settings come from `setting.yaml` and from the environment: TP_ and the path of a setting,
/// with two underscores between the levels, for example TP_SERVER__PORT=9000.
#[derive(Parser)]
#[command(name = "typephoon-api", version, disable_help_subcommand = true)]
struct Arguments {
    /// The setting file [default: setting.yaml in the working directory, if it exists].
    #[arg(short = 'c', long, value_name = "FILE", global = true)]
    setting: Option<PathBuf>,

    /// A second setting file, for secrets; it takes precedence over the first.
    #[arg(long = "secret-setting", value_name = "FILE", global = true)]
    secret_setting: Option<PathBuf>,

    /// Migrate the tables of the record store, then serve. SQLite is always migrated.
    #[arg(long)]
    init: bool,

    #[command(subcommand)]
    command: Option<CliCommand>,
}

#[derive(Subcommand)]
enum CliCommand {
    /// Print the effective settings as YAML, with secrets masked.
    Config,
    /// Print the wiring table: the events, routes, sockets and timers of each handler module.
    Handlers {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check whether a running server is ready for players: exits with 0 if so, else prints the reason and exits with 1.
    Health {
        /// The server to check [default: this machine, on the port from the settings].
        #[arg(long, value_name = "HOST:PORT")]
        at: Option<String>,
    },
    /// Create handlers/NAME.rs: a small working handler module with passing tests.
    New {
        /// Lowercase letters, digits and underscores.
        name: String,
        /// What it has, separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "route")]
        with: Vec<Feature>,
    },
}

/// Runs the command. An error is one sentence on standard error, and a non-zero exit code.
pub fn run() -> ExitCode {
    // The Python backend names its second file with `-sc`; clap allows one letter after a single dash.
    let arguments =
        || std::env::args_os().map(|it| if it == "-sc" { "--secret-setting".into() } else { it });
    let done = match Arguments::try_parse_from(arguments()) {
        Ok(arguments) => obey(arguments),
        Err(_) => Asked::parse(arguments()).and_then(obey_module),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("typephoon-api: {error}");
            ExitCode::FAILURE
        }
    }
}

fn obey(arguments: Arguments) -> Result<(), String> {
    if let Some(CliCommand::New { name, with }) = &arguments.command {
        let file = scaffold(Path::new("handlers"), name, with)?;
        print(&format!("wrote {}; `cargo test {name}` tests it\n", file.display()));
        return Ok(());
    }
    if let Some(CliCommand::Health { at: Some(address) }) = &arguments.command {
        return health::ask(address);
    }
    let loaded = loaded(arguments.setting, arguments.secret_setting)?;
    match arguments.command {
        Some(CliCommand::Config) => print(&loaded.settings.masked_yaml()),
        Some(CliCommand::Handlers { json }) => {
            let table = wire(&linked(&loaded.settings.handlers.disabled)?)?.table;
            let as_json =
                || serde_json::to_string_pretty(&table).map_err(|error| error.to_string());
            print(&if json { as_json()? + "\n" } else { render_table(&table) });
        }
        Some(CliCommand::Health { .. }) => {
            return health::ask(&health::local(&loaded.settings.server)?);
        }
        Some(CliCommand::New { .. }) | None => return serve(loaded, arguments.init),
    }
    Ok(())
}

fn obey_module(mut asked: Asked) -> Result<(), String> {
    let Loaded { settings, .. } = loaded(asked.setting.take(), asked.secret_setting.take())?;
    asked.run(&settings).map(|text| print(&text))
}

fn loaded(setting: Option<PathBuf>, secret: Option<PathBuf>) -> Result<Loaded, String> {
    let sources = Sources::from_process(setting, secret);
    sources.and_then(|sources| load(&sources)).map_err(|error| error.to_string())
}

/// Prints to standard output. A closed pipe, as with `head`, is not an error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn serve(Loaded { settings, notes }: Loaded, init: bool) -> Result<(), String> {
    // A scheduler for several threads costs a little on each wake, and gains nothing on one core.
    let has_one_core = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut builder = match has_one_core {
        true => tokio::runtime::Builder::new_current_thread(),
        false => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be started: {error}"))?;
    let telemetry = telemetry::init(&settings)?;
    for note in notes {
        tracing::info!("{note}");
    }
    let served = runtime.block_on(async {
        let signals = Signals::listen();
        let mut signals = signals.map_err(|error| format!("cannot listen for signals: {error}"))?;
        // Building may wait for a database for a long time.
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
                tracing::warn!("second signal: exiting at once");
                std::process::exit(SECOND_SIGNAL);
            }
        }
    });
    telemetry.end();
    served
}
