//! The sources of settings: two files and the environment.
//!
//! [`Sources`] holds the environment as data, so that `load` can be tested without the process;
//! [`Sources::from_process`] reads it from the process.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use serde_norway::Value as Yaml;

use super::error::SettingsError;
use super::layer::{Layer, Origin};

/// The default setting file.
const USUAL_FILE: &str = "setting.yaml";

/// Variables for the environment, in the working directory.
const DOT_ENV: &str = ".env";

/// The sources of settings, in order of precedence from low to high: defaults, setting file, secret file, environment.
#[derive(Clone, Default)]
pub struct Sources {
    /// YAML file of settings; it must exist.
    pub setting: Option<PathBuf>,
    /// YAML file of secret settings; it must exist.
    pub secret: Option<PathBuf>,
    /// Environment variables; only known ones are read.
    pub environment: Vec<(String, String)>,
}

impl Sources {
    /// The files named on the command line, and the environment of this process.
    ///
    /// The default setting file is `setting.yaml` in the working directory, if it exists. Variables in `.env` of the
    /// working directory count as environment, unless the process has them too.
    ///
    /// # Errors
    /// If `.env` cannot be read, or a `TP_…` variable is not UTF-8.
    pub fn from_process(
        setting: Option<PathBuf>,
        secret: Option<PathBuf>,
    ) -> Result<Self, SettingsError> {
        let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|file| file.exists());
        let mut environment: BTreeMap<String, String> = match fs::read_to_string(DOT_ENV) {
            Ok(text) => dot_env(&text)?.into_iter().collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(SettingsError::new(format!("{DOT_ENV} cannot be read: {error}")));
            }
        };
        for (name, text) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            match text.into_string() {
                Ok(text) => drop(environment.insert(name, text)),
                Err(_) if name.starts_with("TP_") => {
                    return Err(SettingsError::new(format!("{name} is not UTF-8")));
                }
                Err(_) => {}
            }
        }
        Ok(Self {
            setting: setting.or_else(usual),
            secret,
            environment: environment.into_iter().collect(),
        })
    }
}

/// The variables of a `.env` file. Its lines may hold secrets, so an error names only the line's number.
pub(super) fn dot_env(text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let variables: Result<Vec<_>, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
    variables.map_err(|error| {
        let line = match error {
            dotenvy::Error::LineParse(wrong, _) => {
                text.lines().position(|line| line.contains(wrong.trim()))
            }
            _ => None,
        };
        let place = line.map_or_else(String::new, |line| format!(", line {}", line + 1));
        SettingsError::new(format!(
            "{DOT_ENV}{place}: NAME=value is wanted, with quotes around a value that has blanks in it"
        ))
    })
}

/// Reads a YAML file as a layer; `kind` names the file in errors ("setting file").
pub(super) fn read_file(file: &Path, kind: &str) -> Result<Layer, SettingsError> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| {
        SettingsError::new(match error.kind() {
            ErrorKind::NotFound => format!("the {kind} {name} does not exist"),
            _ => format!("the {kind} {name} cannot be read: {error}"),
        })
    })?;
    read_text(name, &text)
}

/// Reads the text of a file as a layer.
pub(super) fn read_text(name: String, text: &str) -> Result<Layer, SettingsError> {
    let tree = read_yaml(text)
        .map_err(|error| SettingsError::new(format!("{name} is not valid YAML: {error}")))?;
    Ok(Layer { origin: Origin::File(name), tree })
}

/// Reads YAML with anchors and merge keys (`<<`); an empty text is an empty mapping.
fn read_yaml(text: &str) -> Result<Value, serde_norway::Error> {
    let mut yaml: Yaml = serde_norway::from_str(text)?;
    yaml.apply_merge()?;
    Ok(match yaml {
        Yaml::Null => Value::Object(Map::new()),
        yaml => json(yaml),
    })
}

/// Converts YAML to JSON. What JSON lacks becomes text (`.inf`, numeric keys) or is dropped (tags).
fn json(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(on) => Value::Bool(on),
        Yaml::Number(number) => match serde_json::to_value(&number) {
            Ok(Value::Null) | Err(_) => Value::String(number.to_string()),
            Ok(number) => number,
        },
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items.into_iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            entries.into_iter().map(|(key, value)| (key_text(key), json(value))).collect()
        }
        Yaml::Tagged(tagged) => json(tagged.value),
    }
}

fn key_text(key: Yaml) -> String {
    match json(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_with_its_anchors_and_merge_keys() {
        let text = "base: &b {a: 1}\nmore:\n  <<: *b\n  c: .inf\n  5: !tag [x, null, 1.5]\n";
        let read = read_yaml(text).unwrap();
        assert_eq!(read["more"], json!({"a": 1, "c": ".inf", "5": ["x", null, 1.5]}));
        assert_eq!(read_yaml("# nothing\n").unwrap(), json!({}));
    }

    #[test]
    fn a_dot_env_file_is_read_with_quotes_and_comments() {
        let text = "# comment\nTP_SERVER__PORT=9\nexport LOG_LEVEL='debug'\nTP_KEY=\"a\\nb\"\n";
        let read = dot_env(text).unwrap();
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            read,
            [pair("TP_SERVER__PORT", "9"), pair("LOG_LEVEL", "debug"), pair("TP_KEY", "a\nb")]
        );
    }

    #[test]
    fn a_wrong_line_of_dot_env_is_named_but_not_repeated() {
        let error = dot_env("A=1\nTP_DB__PASSWORD=my secret\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            ".env, line 2: NAME=value is wanted, with quotes around a value that has blanks in it"
        );
    }
}
