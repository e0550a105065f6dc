//! Checks a layer for unknown keys, and removes those that are accepted but have no effect.
//!
//! Values are validated later, when each setting is parsed.

use serde_json::{Map, Value};

use super::environment::HANDLERS;
use super::error::SettingsError;
use super::keys::SettingKeys;
use super::layer::{Layer, Origin};

/// The sections that switch a service on when present.
const SERVICES: [&str; 3] = ["db", "redis", "amqp"];

/// Settings that only come from variables without a prefix.
const ENVIRONMENT_ONLY: [&str; 2] = ["log_level", "server_name"];

/// Settings without effect, as the operator wrote them.
#[derive(Default)]
pub(super) struct Ignored {
    logger: Vec<String>,
    amqp: Vec<String>,
}

impl Ignored {
    /// One line for each kind of ignored settings.
    pub(super) fn notes(self) -> Vec<String> {
        let note = |names: Vec<String>, why: &str| {
            (!names.is_empty()).then(|| format!("ignored, {why}: {}", names.join(", ")))
        };
        let logger = note(self.logger, "as the log is set by LOG_LEVEL alone");
        let amqp = note(self.amqp, "as this server names its exchanges and queues itself");
        logger.into_iter().chain(amqp).collect()
    }
}

/// Checks the names of one layer; accepted settings without effect move from the layer to `ignored`.
pub(super) fn check(
    layer: &mut Layer,
    keys: &SettingKeys,
    ignored: &mut Ignored,
) -> Result<(), SettingsError> {
    let mut check = Check { origin: &layer.origin, keys, ignored };
    match &mut layer.tree {
        Value::Object(tree) => check.section(&mut Vec::new(), tree),
        _ => Err(SettingsError::new(format!(
            "{} does not hold a mapping of settings",
            layer.origin.place()
        ))),
    }
}

struct Check<'a> {
    origin: &'a Origin,
    keys: &'a SettingKeys,
    ignored: &'a mut Ignored,
}

impl Check<'_> {
    fn section(
        &mut self,
        path: &mut Vec<String>,
        section: &mut Map<String, Value>,
    ) -> Result<(), SettingsError> {
        let names: Vec<String> = section.keys().cloned().collect();
        for name in names {
            path.push(name.clone());
            if self.is_ignored(path) {
                section.remove(&name);
            } else {
                self.entry(path, &mut section[&name])?;
            }
            path.pop();
        }
        Ok(())
    }

    fn entry(&mut self, path: &mut Vec<String>, value: &mut Value) -> Result<(), SettingsError> {
        match self.keys.at(path) {
            Some(Value::Object(_)) => self.known_section(path, value),
            Some(_) if self.origin.reaches_below(path) => Err(self.unknown(path)),
            Some(_) => Ok(()),
            None if path.len() > 1 && path[0] == HANDLERS => Ok(()),
            None => Err(self.unknown(path)),
        }
    }

    fn known_section(
        &mut self,
        path: &mut Vec<String>,
        value: &mut Value,
    ) -> Result<(), SettingsError> {
        match value {
            Value::Object(section) => self.section(path, section),
            // An empty variable switches off a service that a file has switched on; an empty section of a file still
            // switches the service on (its settings may be commented out).
            Value::Null => {
                let in_file = matches!(self.origin, Origin::File(_));
                if in_file || !SERVICES.contains(&path[0].as_str()) {
                    *value = Value::Object(Map::new());
                }
                Ok(())
            }
            other => Err(self.no_section(path, other)),
        }
    }

    /// Does not repeat the value: it may be a misplaced key or password.
    fn no_section(&self, path: &[String], value: &Value) -> SettingsError {
        let kind = match value {
            Value::Array(_) => "a list",
            Value::String(_) => "a text",
            _ => "a single value",
        };
        let wanted = match self.origin {
            Origin::File(_) => "a section with settings of its own",
            Origin::Variable { .. } => "a section with settings of its own (a JSON object)",
        };
        let name = self.origin.name(path);
        SettingsError::new(format!("{name} is {kind}, but {wanted} is wanted"))
    }

    fn is_ignored(&mut self, path: &[String]) -> bool {
        let list = match path {
            [logger] if logger == "logger" => &mut self.ignored.logger,
            [amqp, _] if amqp == "amqp" && self.keys.at(path).is_none() => &mut self.ignored.amqp,
            _ => return false,
        };
        let near = match self.keys.nearest(path).as_slice() {
            [meant] if path.len() > 1 => format!(" (did you mean {}?)", self.origin.spell(meant)),
            _ => String::new(),
        };
        list.push(format!("{}{near}", self.origin.name(path)));
        true
    }

    fn unknown(&self, path: &[String]) -> SettingsError {
        let path = self.origin.whole_path(path);
        let name = match self.origin {
            Origin::Variable { path: own, .. } if path.len() <= own.len() => {
                format!("{} in the environment", self.origin.name(path))
            }
            _ => self.origin.name(path),
        };
        SettingsError::new(format!("unknown setting {name}: {}", self.advice(path)))
    }

    fn advice(&self, path: &[String]) -> String {
        if let [name] = path
            && ENVIRONMENT_ONLY.contains(&name.to_lowercase().as_str())
        {
            let variable = name.to_uppercase();
            return format!("it is set by the environment variable {variable} alone");
        }
        let near = self.keys.nearest(path);
        if !near.is_empty() {
            let near: Vec<String> = near.iter().map(|near| self.origin.spell(near)).collect();
            return format!("did you mean {}?", near.join(" or "));
        }
        match self.keys.at(&path[..1]) {
            Some(Value::Object(known)) => {
                let known: Vec<&str> = known.keys().map(String::as_str).collect();
                format!("the settings of {} are {}", path[0], known.join(", "))
            }
            _ => "docs/settings.md lists all settings".to_owned(),
        }
    }
}
