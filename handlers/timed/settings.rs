//! Settings of races against the clock.

use serde::Deserialize;

use crate::Error;
use crate::module::Setup;

/// The longest race, in seconds.
const LONGEST: u16 = 600;

/// The section `handlers.timed`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TimedSettings {
    /// The times that players can choose, in seconds; the first if they choose none.
    seconds: Vec<u16>,
}

impl Default for TimedSettings {
    fn default() -> Self {
        Self { seconds: vec![60, 30] }
    }
}

impl TimedSettings {
    /// Loads the section.
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        let section: Self = setup.section()?;
        let is_wrong = section.seconds.iter().any(|it| !(1..=LONGEST).contains(it));
        if section.seconds.is_empty() || is_wrong {
            return Err(format!(
                "setting handlers.timed.seconds: wants one or more times from 1 to {LONGEST} seconds"
            ));
        }
        Ok(section)
    }

    /// The times that players can choose, the default first.
    pub(super) fn offered(&self) -> &[u16] {
        &self.seconds
    }

    /// The time that a player has chosen.
    pub(super) fn chosen(&self, asked: Option<&str>) -> Result<u16, Error> {
        let chosen = asked.map_or(self.seconds.first().copied(), |text| text.parse().ok());
        chosen.filter(|it| self.seconds.contains(it)).ok_or_else(|| {
            let known: Vec<_> = self.seconds.iter().map(ToString::to_string).collect();
            Error::validation(format!("query parameter seconds: must be {}", known.join(" or ")))
        })
    }
}
