//! The binary: see `typephoon-api --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    typephoon_api::cli::run()
}
