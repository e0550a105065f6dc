//! The effective settings as YAML, without secrets, for the `config` command.

use serde_norway::Value as Yaml;

use super::Settings;
use super::environment::HANDLERS;
use super::secret::{MASK, is_secret_name, mask_address};

impl Settings {
    /// The effective settings as a setting file, with secrets masked (`***`), also inside URLs.
    ///
    /// Values of module sections are masked by their names, because only the module knows which are secret. Settings
    /// that a file cannot contain are in comments at the end.
    pub fn masked_yaml(&self) -> String {
        let shown = serde_norway::to_value(self).and_then(|mut yaml| {
            mask_addresses(&mut yaml);
            mask_sections(&mut yaml);
            serde_norway::to_string(&yaml)
        });
        match shown {
            Ok(yaml) => yaml + &self.comments(),
            // Only reachable with a path that is not UTF-8.
            Err(error) => format!("# the settings cannot be shown: {error}\n"),
        }
    }

    fn comments(&self) -> String {
        let services = [
            ("db", self.db.is_some()),
            ("redis", self.redis.is_some()),
            ("amqp", self.amqp.is_some()),
        ];
        let off: Vec<&str> = services.iter().filter(|(_, on)| !on).map(|(name, _)| *name).collect();
        let mut lines = Vec::new();
        if !off.is_empty() {
            let off = off.join(", ");
            lines.push(format!("# not configured, embedded instead: {off}"));
        }
        // Both escaped, so that no line break can end the comment.
        lines.push(format!("# LOG_LEVEL: {}", self.log_level.escape_debug()));
        let quoted = self.server_name.as_ref().map(|name| format!("{name:?}"));
        let server_name = quoted.as_deref().unwrap_or("none");
        lines.push(format!("# SERVER_NAME: {server_name}"));
        lines.join("\n") + "\n"
    }
}

fn mask_addresses(yaml: &mut Yaml) {
    match yaml {
        Yaml::String(text) => *text = mask_address(text),
        Yaml::Sequence(items) => items.iter_mut().for_each(mask_addresses),
        Yaml::Mapping(entries) => entries.values_mut().for_each(mask_addresses),
        _ => {}
    }
}

fn mask_sections(yaml: &mut Yaml) {
    let Some(Yaml::Mapping(handlers)) = yaml.get_mut(HANDLERS) else {
        return;
    };
    for (name, section) in handlers {
        // The name of a module is not the name of a secret, even if it looks like one.
        if name != "disabled" {
            mask_by_name("", section);
        }
    }
}

fn mask_by_name(name: &str, value: &mut Yaml) {
    match value {
        Yaml::Null => {}
        other if is_secret_name(name) => *other = Yaml::String(MASK.to_owned()),
        Yaml::Mapping(entries) => {
            for (name, value) in entries {
                mask_by_name(name.as_str().unwrap_or_default(), value);
            }
        }
        Yaml::Sequence(items) => items.iter_mut().for_each(|item| mask_by_name("", item)),
        _ => {}
    }
}
