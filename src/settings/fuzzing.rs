//! Entry points for fuzzing the settings.

use super::{Loaded, SettingsError, sources, understand};

/// Separates the setting file from the lines of `.env`.
const BETWEEN: &str = "\n%%\n";

/// Loads a setting file, and the lines of a `.env` file after `%%`. Accepted settings must be printable as YAML.
///
/// # Errors
/// The sentence for the operator.
pub fn settings(text: &str) -> Result<Loaded, SettingsError> {
    let (file, environment) = text.split_once(BETWEEN).unwrap_or((text, ""));
    let environment = sources::dot_env(environment)?;
    let file = sources::read_text("setting.yaml".into(), file)?;
    let loaded = understand(vec![file], &environment)?;
    let shown = sources::read_text("shown".into(), &loaded.settings.masked_yaml());
    assert!(shown.is_ok_and(|it| it.tree.is_object()), "what is shown is a setting file");
    Ok(loaded)
}
