//! Settings of spectators.

use serde::Deserialize;

use crate::module::Setup;

/// The section `handlers.watch`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WatchSettings {
    /// How many spectators a race may have, on all pods together.
    pub(super) most_per_race: u32,
    /// How many spectators a pod holds, of all races together.
    pub(super) most_per_pod: u32,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { most_per_race: 10_000, most_per_pod: 20_000 }
    }
}

impl WatchSettings {
    /// Loads the section.
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        let section: Self = setup.section()?;
        if section.most_per_race == 0 || section.most_per_pod == 0 {
            return Err(
                "settings handlers.watch.most_per_race and most_per_pod: must be at least 1".into(),
            );
        }
        Ok(section)
    }
}
