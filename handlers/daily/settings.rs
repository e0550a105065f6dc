//! Settings of the daily challenge, and the words of its texts.

use serde::Deserialize;

use super::day::{Day, DayText};
use crate::handlers::shared::{TextWish, WordSource};
use crate::module::Setup;

/// How many days a board may be kept.
const DAYS: std::ops::RangeInclusive<u16> = 1..=3_650;

/// The section `handlers.daily`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DailySettings {
    /// Words of a text.
    words: u16,
    /// For how many days the text and the board of a day are kept after it.
    keep_days: u16,
}

impl Default for DailySettings {
    fn default() -> Self {
        Self { words: 40, keep_days: 30 }
    }
}

/// What the texts are made of.
pub(super) struct DailyTexts {
    settings: DailySettings,
    source: WordSource,
}

impl DailyTexts {
    /// Loads the section, and the server's words.
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        let settings: DailySettings = setup.section()?;
        for (name, value, bounds) in
            [("words", settings.words, TextWish::WORDS), ("keep_days", settings.keep_days, DAYS)]
        {
            if !bounds.contains(&value) {
                let (from, to) = bounds.into_inner();
                return Err(format!("setting handlers.daily.{name}: must be from {from} to {to}"));
            }
        }
        Ok(Self { settings, source: WordSource::load(setup)? })
    }

    /// For how many days a board is kept.
    pub(super) fn keep_days(&self) -> u16 {
        self.settings.keep_days
    }

    /// Draws a text for a day.
    pub(super) fn draw(&self, day: Day) -> DayText {
        let wish = TextWish { words: Some(self.settings.words), ..TextWish::default() };
        let words = self.source.draw(wish, &mut rand::rng());
        DayText { day, words, until: day.kept_until(self.keep_days()) }
    }
}
