//! Settings of the recorder.

use std::time::Duration;

use serde::Deserialize;

use super::signals::Thresholds;
use crate::module::Setup;

const DAY: u64 = 24 * 3600;

/// The section `handlers.recorder`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RecorderSettings {
    /// How many days recordings of players with an account are kept.
    keep_days: u32,
    /// The same for guests.
    keep_guests_days: u32,
    /// By how many seconds the client's clock may be behind the server's at the last edit, the way of the edit included.
    clock_tolerance: f64,
    /// Signals of programs.
    pub(super) signals: Thresholds,
}

impl Default for RecorderSettings {
    fn default() -> Self {
        Self {
            keep_days: 90,
            keep_guests_days: 7,
            clock_tolerance: 2.0,
            signals: Thresholds::default(),
        }
    }
}

impl RecorderSettings {
    /// Loads the section.
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        let section: Self = setup.section()?;
        if section.keep_days == 0 || section.keep_guests_days == 0 {
            return Err(
                "settings handlers.recorder.keep_days and keep_guests_days: must be at least 1"
                    .into(),
            );
        }
        if !(0.0..=60.0).contains(&section.clock_tolerance) {
            return Err("setting handlers.recorder.clock_tolerance: must be from 0 to 60".into());
        }
        Ok(section)
    }

    pub(super) fn kept_for(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_days) * DAY)
    }

    pub(super) fn guests_kept_for(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_guests_days) * DAY)
    }

    pub(super) fn tolerance(&self) -> Duration {
        Duration::from_secs_f64(self.clock_tolerance)
    }
}
