//! Environment variables as layers: `TP_` and the path of a setting in upper case, `__` between the levels.
//!
//! Texts, numbers and booleans stay text here and are parsed by the setting itself; lists and whole sections are JSON.
//! Three variables have no prefix ([`Unprefixed`]).

use serde_json::Value;

use super::error::SettingsError;
use super::keys::SettingKeys;
use super::layer::{Layer, Origin, branch};

const PREFIX: &str = "TP_";
const BETWEEN_LEVELS: &str = "__";

/// The section of the handler modules' own sections, whose keys are unknown here.
pub(super) const HANDLERS: &str = "handlers";

/// One layer for each `TP_…` variable, those of whole sections before those of single settings.
pub(super) fn layers(environment: &[(String, String)], keys: &SettingKeys) -> Vec<Layer> {
    let mut layers: Vec<(usize, &String, Layer)> = environment
        .iter()
        .filter_map(|(name, text)| {
            let path = path_of(name)?;
            let depth = path.len();
            Some((depth, name, layer(name, path, text, keys)))
        })
        .collect();
    // The environment has no order; this one lets the more specific variable win.
    layers.sort_by_key(|(depth, name, _)| (*depth, *name));
    layers.into_iter().map(|(_, _, layer)| layer).collect()
}

/// The variable that sets `path`: `TP_DB__HOST` for `db.host`.
pub(super) fn variable_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', BETWEEN_LEVELS).to_uppercase())
}

fn path_of(variable: &str) -> Option<Vec<String>> {
    let path = variable.strip_prefix(PREFIX)?.to_lowercase();
    Some(path.split(BETWEEN_LEVELS).map(str::to_owned).collect())
}

fn layer(name: &str, path: Vec<String>, text: &str, keys: &SettingKeys) -> Layer {
    let tree = branch(&path, value(&path, text, keys));
    let name = name.to_owned();
    Layer { origin: Origin::Variable { name, path }, tree }
}

/// A value that does not parse stays text, so that its setting can report what it requires.
fn value(path: &[String], text: &str, keys: &SettingKeys) -> Value {
    let as_text = || Value::String(text.to_owned());
    let as_json = || serde_json::from_str(text).unwrap_or_else(|_| as_text());
    match keys.at(path) {
        Some(Value::Object(_)) if text.trim().is_empty() => Value::Null,
        Some(Value::Array(_)) if text.trim().is_empty() => Value::Array(Vec::new()),
        Some(Value::Object(_) | Value::Array(_)) => as_json(),
        None if path[0] == HANDLERS => as_json(),
        _ => as_text(),
    }
}

/// The variables without a prefix, whose names are older than this server or belong to OpenTelemetry.
pub(super) struct Unprefixed {
    pub(super) log_level: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) otlp_endpoint: Option<String>,
}

impl Unprefixed {
    pub(super) fn read(environment: &[(String, String)]) -> Result<Self, SettingsError> {
        let filled = |wanted: &str| {
            let (_, text) = environment.iter().rfind(|(name, _)| name == wanted)?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        Ok(Self {
            log_level: filled("LOG_LEVEL").map(|text| level(&text)).transpose()?,
            server_name: filled("SERVER_NAME"),
            otlp_endpoint: filled("OTEL_EXPORTER_OTLP_ENDPOINT"),
        })
    }
}

/// Normalises a level. Python's names are accepted, because existing deployments set them. A value with `=` or `,` is a
/// filter per module (`info,sqlx=warn`), parsed by the log. Any other word is refused: the log would treat it as the
/// name of a module, and log nothing.
fn level(text: &str) -> Result<String, SettingsError> {
    if text.contains(['=', ',']) {
        return Ok(text.to_owned());
    }
    let level = match text.to_lowercase().as_str() {
        "trace" | "notset" => "trace",
        "debug" => "debug",
        "info" => "info",
        "warn" | "warning" => "warn",
        "error" | "critical" | "fatal" => "error",
        "off" => "off",
        _ => {
            return Err(SettingsError::new(format!(
                "LOG_LEVEL is {text:?}, but trace, debug, info, warn, error or off is wanted, or a filter such as \
                 info,sqlx=warn"
            )));
        }
    };
    Ok(level.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_and_its_setting_name_each_other() {
        assert_eq!(variable_of("game.word_file"), "TP_GAME__WORD_FILE");
        assert_eq!(path_of("TP_GAME__WORD_FILE").unwrap(), ["game", "word_file"]);
        assert_eq!(path_of("TPX_GAME"), None);
    }

    #[test]
    fn the_log_levels_of_python_are_understood() {
        assert_eq!(level("WARNING").unwrap(), "warn");
        assert_eq!(level("CRITICAL").unwrap(), "error");
        assert_eq!(level("info,sqlx=warn").unwrap(), "info,sqlx=warn");
        assert!(level("inof").is_err());
    }
}
