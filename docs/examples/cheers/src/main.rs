//! The server with one module more.

use std::process::ExitCode;

use typephoon_cheers as _;

fn main() -> ExitCode {
    typephoon_api::cli::run()
}
