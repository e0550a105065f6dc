//! Settings of texts.

use serde::Deserialize;

use super::choice::{Choice, TextKind};
use crate::module::Setup;

/// The section `handlers.texts`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TextSettings {
    /// The kind of text in open lobbies: `words`, `quotes` or `code`.
    open: TextKind,
    /// Its language; by default the first of the kind. Without both settings, the words are those of `game.word_list`.
    open_language: Option<String>,
}

impl TextSettings {
    /// The choice for open lobbies.
    pub(super) fn load(setup: &Setup<'_>) -> Result<Choice, String> {
        let Self { open, open_language } = setup.section()?;
        if matches!(open, TextKind::Own | TextKind::Again) {
            return Err("setting handlers.texts.open: must be words, quotes or code".into());
        }
        Ok(Choice { kind: open, language: open_language, ..Choice::default() })
    }
}
