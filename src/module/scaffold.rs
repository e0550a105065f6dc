//! `typephoon-api new NAME`: a small working handler module with passing tests.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// A Rust file in which lines between `#if PART` and `#end` belong to a part; `#if A & !B` to `A` unless `B` is there.
const TEMPLATE: &str = include_str!("scaffold.rs.txt");
const PAGE: &str = include_str!("scaffold.js.txt");

/// A part of a new module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Feature {
    /// An event that it hears, and a route.
    Route,
    /// A frame of clients, shown to all players of the race.
    Frame,
    /// Items that it keeps in the records.
    Keeps,
    /// A page of the built-in client.
    Page,
}

impl Feature {
    fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Frame => "frame",
            Self::Keeps => "keeps",
            Self::Page => "page",
        }
    }
}

/// Writes the module into `handlers`, with these parts. Returns its path.
///
/// # Errors
/// One sentence, if the name is invalid or taken, or the folder does not exist.
pub fn scaffold(handlers: &Path, name: &str, with: &[Feature]) -> Result<PathBuf, String> {
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
    let code = named(&selected(TEMPLATE, with), name);
    if !with.contains(&Feature::Page) {
        write(&file, &code)?;
        return Ok(file);
    }
    let folder = handlers.join(name);
    let web = folder.join("web");
    fs::create_dir_all(&web)
        .map_err(|error| format!("{} cannot be created: {error}", web.display()))?;
    write(&web.join(format!("{name}.js")), &named(PAGE, name))?;
    let file = folder.join("mod.rs");
    write(&file, &code)?;
    Ok(file)
}

fn named(template: &str, name: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let in_camel_case: String = name.split('_').filter(|it| !it.is_empty()).map(capital).collect();
    let template = template.replace("{{NAME}}", &name.to_ascii_uppercase());
    template.replace("{{Name}}", &in_camel_case).replace("{{name}}", name)
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

/// The lines of a template that belong to these parts.
fn selected(template: &str, with: &[Feature]) -> String {
    let has = |part: &str| with.iter().any(|it| it.name() == part);
    let holds = |condition: &str| {
        condition.split(" & ").all(|term| match term.strip_prefix('!') {
            Some(part) => !has(part),
            None => has(term),
        })
    };
    let (mut text, mut is_in) = (String::new(), true);
    for line in template.lines() {
        match line.strip_prefix("#if ") {
            Some(condition) => is_in = holds(condition),
            None if line == "#end" => is_in = true,
            None if is_in => text = text + line + "\n",
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_has_the_parts_that_were_asked_for() {
        let only = |with: &[Feature]| named(&selected(TEMPLATE, with), "wave");
        let frame = only(&[Feature::Frame]);
        assert!(frame.contains("WAVE_FRAME") && frame.contains("use salvo::oapi::ToSchema;"));
        assert!(!frame.contains("/api/v1/wave") && !frame.contains("{{"));
        assert!(!frame.contains("#if") && !frame.contains("#end"));
        let all = only(&[Feature::Route, Feature::Frame, Feature::Keeps, Feature::Page]);
        assert!(all.contains("/api/v1/wave") && all.contains("wave.js"));
        assert!(all.contains("wave.best"));
        assert_eq!(all.matches("use serde::{Deserialize").count(), 1);
        assert_eq!(all.matches("use salvo::oapi::").count(), 1);
    }

    #[test]
    fn a_page_makes_it_a_folder() {
        let handlers = tempfile::tempdir().unwrap();
        let file = scaffold(handlers.path(), "wave", &[Feature::Page]).unwrap();
        assert!(file.ends_with("wave/mod.rs"));
        let page = fs::read_to_string(handlers.path().join("wave/web/wave.js")).unwrap();
        assert!(page.contains("handler module wave"));
        assert!(scaffold(handlers.path(), "wave", &[Feature::Route]).is_err(), "it is there");
    }
}
