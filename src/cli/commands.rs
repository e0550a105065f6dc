//! The commands that handler modules add. They are looked up only if the command line is not one of the program's own, so that
//! a server wires its modules once.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, CommandFactory, value_parser};

use super::Arguments;
use crate::module::{Command, Given, Setup, linked, wire};
use crate::settings::Settings;

/// A command line with the command of a module.
pub(super) struct Asked {
    pub(super) setting: Option<PathBuf>,
    pub(super) secret_setting: Option<PathBuf>,
    command: Command,
    given: Given,
}

impl Asked {
    /// Parses a command line that the program alone does not understand. Ends the process after `--help`, and with an explanation
    /// if the modules' commands do not help either.
    ///
    /// # Errors
    /// One sentence, if the modules do not go together.
    pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let declared = wire(&linked(&[])?)?.commands;
        let whole = Arguments::command().subcommands(declared.iter().map(in_clap));
        let found = whole.get_matches_from(arguments);
        let (name, matches) = found.subcommand().ok_or("there is no such command")?;
        let command = declared.into_iter().find(|command| command.entry.name == name);
        let command = command.ok_or("there is no such command")?;
        let path = |name: &str| found.get_one::<PathBuf>(name).cloned();
        let (setting, secret_setting) = (path("setting"), path("secret_setting"));
        Ok(Self { setting, secret_setting, given: given(&command, matches), command })
    }

    /// Runs the command, and returns what is to be printed.
    ///
    /// # Errors
    /// That of the command; or its module is disabled.
    pub(super) fn run(self, settings: &Settings) -> Result<String, String> {
        let Command { module, run, entry, .. } = self.command;
        if settings.handlers.disabled.iter().any(|disabled| disabled == module) {
            let name = entry.name;
            return Err(format!(
                "{name} is a command of the module {module}, which handlers.disabled switches off"
            ));
        }
        run(&Setup::of(settings, module), &self.given)
    }
}

fn in_clap(command: &Command) -> clap::Command {
    let arguments =
        command.entry.takes.iter().zip(&command.helps).map(|((option, value), help)| {
            let argument = match option {
                Some(name) => Arg::new(*name).long(*name).value_name(*value),
                None => Arg::new(*value).required(true),
            };
            argument.help(*help).value_parser(value_parser!(OsString))
        });
    clap::Command::new(command.entry.name).about(command.about).args(arguments)
}

fn given(command: &Command, matches: &ArgMatches) -> Given {
    let names = command.entry.takes.iter().map(|(option, value)| option.unwrap_or(value));
    names.filter_map(|name| Some((name, matches.get_one::<OsString>(name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::BUILT_IN;

    #[test]
    fn modules_cannot_claim_the_commands_of_the_program() {
        let own = Arguments::command();
        let mut names: Vec<_> = own.get_subcommands().map(clap::Command::get_name).collect();
        names.sort_unstable();
        assert_eq!(names, BUILT_IN);
    }

    #[test]
    fn arguments_and_options_reach_a_command_by_their_names() {
        let mut command = Command::new("x", "greet", "Greets.", |_, _| Ok(String::new()));
        command.takes("NAME", "The person to greet.").option(
            "in",
            "LANGUAGE",
            "In which language.",
        );
        let line = ["typephoon-api", "greet", "Anna", "--in", "de", "-c", "x.yaml"];
        let whole = Arguments::command().subcommand(in_clap(&command));
        whole.clone().debug_assert();
        let found = whole.get_matches_from(line);
        let given = given(&command, found.subcommand().unwrap().1);
        let get = |name| given.get(name).and_then(|it| it.to_str());
        assert_eq!((get("NAME"), get("in"), get("LANGUAGE")), (Some("Anna"), Some("de"), None));
        assert_eq!(found.get_one::<PathBuf>("setting"), Some(&"x.yaml".into()));
        assert_eq!(command.entry.to_string(), "greet NAME [--in LANGUAGE]");
    }
}
