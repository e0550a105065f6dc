//! Commands of the program that modules add: `typephoon-api NAME …`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::context::{CommandEntry, Setup};

/// The commands that the program has itself.
pub(crate) const BUILT_IN: [&str; 4] = ["config", "handlers", "health", "new"];

/// A command of a module.
pub struct Command {
    pub(crate) module: &'static str,
    pub(crate) entry: CommandEntry,
    /// What `--help` says of it, and of what it takes.
    pub(crate) about: &'static str,
    pub(crate) helps: Vec<&'static str>,
    pub(crate) run: RunCommand,
}

/// Runs it, without a server. What it returns is printed; an error is one sentence, and a non-zero exit code.
type RunCommand = fn(&Setup<'_>, &Given) -> Result<String, String>;

impl Command {
    pub(crate) fn new(
        module: &'static str,
        name: &'static str,
        about: &'static str,
        run: RunCommand,
    ) -> Self {
        let entry = CommandEntry { name, takes: Vec::new() };
        Self { module, entry, about, helps: Vec::new(), run }
    }

    /// Takes an argument, after those declared before it; it must be given. Its name is in capitals.
    pub fn takes(&mut self, name: &'static str, help: &'static str) -> &mut Self {
        self.entry.takes.push((None, name));
        self.helps.push(help);
        self
    }

    /// Takes an option `--name VALUE`, which may be left out.
    pub fn option(
        &mut self,
        name: &'static str,
        value: &'static str,
        help: &'static str,
    ) -> &mut Self {
        self.entry.takes.push((Some(name), value));
        self.helps.push(help);
        self
    }
}

/// What was given to a command, by the names of its arguments and options.
#[derive(Debug, Default)]
pub struct Given(BTreeMap<&'static str, OsString>);

impl Given {
    /// An argument, or the value of an option, if it was given.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str)
    }
}

impl FromIterator<(&'static str, OsString)> for Given {
    fn from_iter<T: IntoIterator<Item = (&'static str, OsString)>>(given: T) -> Self {
        Self(given.into_iter().collect())
    }
}
