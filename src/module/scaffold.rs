//! `typephoon-api new NAME`: a small working handler module with a passing test.

use std::path::{Path, PathBuf};

const TEMPLATE: &str = include_str!("scaffold.rs.txt");

/// Writes the module into `handlers`. Returns its path.
///
/// # Errors
/// One sentence, if the name is invalid or taken, or the folder does not exist.
pub fn scaffold(handlers: &Path, name: &str) -> Result<PathBuf, String> {
    let proper = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !proper {
        return Err(format!(
            "{name:?} is no module name: lowercase letters, digits and underscores"
        ));
    }
    if !handlers.is_dir() {
        return Err(
            "there is no folder handlers here: run this at the top of the repository".into()
        );
    }
    let file = handlers.join(format!("{name}.rs"));
    if file.exists() || handlers.join(name).exists() {
        return Err(format!("the handler module {name} already exists"));
    }
    let code = TEMPLATE.replace("NAME", name);
    std::fs::write(&file, code)
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    Ok(file)
}
