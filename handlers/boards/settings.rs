//! Settings of boards.

use serde::Deserialize;

use crate::module::Setup;

/// The section `handlers.boards`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BoardSettings {
    /// Words that a text must have for its results to be on boards: a few words are typed faster than many.
    pub(super) least_words: usize,
}

impl Default for BoardSettings {
    fn default() -> Self {
        Self { least_words: 20 }
    }
}

impl BoardSettings {
    /// Loads the section.
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        setup.section()
    }
}
