//! Which races belong to a day, and which results count.

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::entry::DailyEntry;
use crate::game::{Game, Part, Player, Result as GameResult};
use crate::handlers::shared::TextAbout;

/// Stored with a game whose players asked for the text of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Daily {
    /// The day on which its lobby was opened: it has the text of that day, and counts for it.
    day: Option<Day>,
}

impl Part for Daily {
    const NAME: &'static str = "daily";
}

impl Daily {
    /// A race of this day.
    pub(super) fn on(day: Day) -> Self {
        Self { day: Some(day) }
    }
}

/// The kind of the texts: results in them are on no other board, since players may have typed them before.
pub(super) const KIND: &str = TextAbout::AGAIN;

/// The day whose text a game has, or will have. `None` for other races: those against the clock, whose texts must be
/// longer, and those that got another text because the records did not answer.
pub(super) fn day_of(game: &Game) -> Option<Day> {
    let has_text = game.words().is_empty() || game.part::<TextAbout>().kind == KIND;
    game.part::<Daily>().day.filter(|_| has_text && game.time_limit().is_none())
}

/// The entry of a result for the board of its day, which is kept for so many days. `None` for unranked and struck results, and in
/// other races.
pub(super) fn entry(
    game: &Game,
    player: &Player,
    result: GameResult,
    keep_days: u16,
) -> Option<DailyEntry> {
    let day = day_of(game).filter(|_| result.rank > 0 && !player.is_struck())?;
    Some(DailyEntry {
        day,
        user: player.user.id.clone(),
        name: player.user.name.clone(),
        game: game.id,
        figures: result.figures,
        grade: None,
        finished: result.finished,
        until: day.kept_until(keep_days),
    })
}
