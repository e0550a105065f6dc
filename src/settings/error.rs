//! The error of reading the settings: a sentence for the operator.

use std::fmt;

/// Why the settings cannot be used, as one sentence that names the setting and where it was written.
///
/// `Debug` prints the same sentence, so that it reads well when returned from `main`. It never contains the value of a
/// secret.
pub struct SettingsError(String);

impl SettingsError {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}
