//! Which races belong to a day, which results count, and when they are entered.

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::entry::Entry;
use crate::game::{Game, Part, Player, Timestamp};
use crate::handlers::shared::{TextAbout, again_at, raise};

/// Stored with a game whose players asked for the text of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Daily {
    /// The day on which its lobby was opened: it has the text of that day, and counts for it.
    day: Option<Day>,
    /// How many of its results are on the board.
    entered: usize,
}

impl Part for Daily {
    const NAME: &'static str = "daily";
}

impl Daily {
    /// A race of this day.
    pub(super) fn on(day: Day) -> Self {
        Self { day: Some(day), entered: 0 }
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

/// The players with ranked results.
fn finishers(game: &Game) -> impl Iterator<Item = &Player> {
    game.people().filter(|player| player.result.is_some_and(|result| result.rank > 0))
}

/// When the results of a race are entered again: some time after the last one, unless all are.
pub(super) fn due(game: &Game) -> Option<Timestamp> {
    day_of(game)?;
    again_at(finishers(game), game.part::<Daily>().entered)
}

/// Notes that so many results are entered. Returns whether that is news.
pub(super) fn note(game: &mut Game, entered: usize) -> bool {
    game.edit(|daily: &mut Daily| raise(&mut daily.entered, entered))
}

/// The entries of a race for the board of its day, which are kept for so many days.
pub(super) fn entries(game: &Game, keep_days: u16) -> Vec<Entry> {
    let Some(day) = day_of(game) else { return Vec::new() };
    let entry = |player: &Player| {
        let result = player.result?;
        Some(Entry {
            day,
            user: player.user.id.clone(),
            name: player.user.name.clone(),
            game: game.id,
            figures: result.figures,
            grade: None,
            finished: result.finished,
            until: day.kept_until(keep_days),
        })
    };
    finishers(game).filter_map(entry).collect()
}
