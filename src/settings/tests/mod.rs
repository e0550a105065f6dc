//! Tests of the settings as a whole: files and environment in, settings or one sentence out.

mod contract;
mod precedence;
mod sentences;
mod shown;

use std::fs;

use super::{Loaded, Settings, Sources, load};

/// What an operator wrote.
#[derive(Default)]
struct Written<'a> {
    setting: Option<&'a str>,
    secret: Option<&'a str>,
    environment: &'a [(&'a str, &'a str)],
}

impl Written<'_> {
    /// The settings, or the sentence; files are called `setting.yaml` and `secret.yaml` in it.
    fn load(&self) -> Result<Loaded, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: Option<&str>| {
            let path = dir.path().join(name);
            text.map(|text| fs::write(&path, text).unwrap())
                .map(|()| path)
        };
        let variable = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let sources = Sources {
            setting: file("setting.yaml", self.setting),
            secret: file("secret.yaml", self.secret),
            environment: self.environment.iter().map(variable).collect(),
        };
        let prefix = format!("{}/", dir.path().display());
        load(&sources).map_err(|error| error.to_string().replace(&prefix, ""))
    }
}

/// Settings of a file and an environment that are in order.
fn settings(setting: &str, environment: &[(&str, &str)]) -> Settings {
    loaded(setting, environment).settings
}

fn loaded(setting: &str, environment: &[(&str, &str)]) -> Loaded {
    let written = Written {
        setting: Some(setting),
        environment,
        ..Written::default()
    };
    written.load().unwrap()
}

/// The sentence about a file that is not in order.
fn refused(setting: &str) -> String {
    let written = Written {
        setting: Some(setting),
        ..Written::default()
    };
    written.load().unwrap_err()
}

/// The sentence about an environment that is not in order.
fn refused_environment(environment: &[(&str, &str)]) -> String {
    let written = Written {
        environment,
        ..Written::default()
    };
    written.load().unwrap_err()
}
