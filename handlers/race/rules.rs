//! The rules of the race, without clock or chance.

use crate::game::{Game, Stage, Text, Timestamp, UserId};
use crate::socket::{Ending, Said};

/// Characters that may be typed beyond the end of a word and are still shown to the others.
const OVERTYPED: i64 = 32;

/// A closed lobby is prepared at once; here too, for one whose server died in between.
pub(super) fn to_be_prepared(game: &Game) -> Option<Timestamp> {
    // Once `lobby.closed` has had its time to be heard.
    (game.stage == Stage::Closed).then(|| game.closes_at + std::time::Duration::from_millis(500))
}

pub(super) fn starts_at(game: &Game) -> Option<Timestamp> {
    game.starts_at.filter(|_| game.stage == Stage::Countdown)
}

/// Seconds until START; 0 once the race is on.
pub(super) fn seconds_left(game: &Game, now: Timestamp) -> f64 {
    starts_at(game).map_or(0.0, |at| at.after(now).as_secs_f64())
}

/// A position within the text, as far as a cursor can go: -1 stands before the first character, and
/// some characters may be typed beyond a word's end.
pub(super) fn position(text: &Text, word_index: i64, char_index: i64) -> Option<(u32, i32)> {
    let word_index = u32::try_from(word_index).ok()?;
    let length = i64::from(text.word_length(word_index)?);
    let within = (-1..=length + OVERTYPED).contains(&char_index);
    Some((word_index, i32::try_from(char_index).ok().filter(|_| within)?))
}

/// Whether START is given, and a player has not been told.
pub(super) fn start_is_due(game: &Game, user: &UserId) -> bool {
    let untold = game.player(user).is_some_and(|player| player.started.is_none());
    game.stage == Stage::Running && untold
}

/// When it was noted that a player is told START, if it was.
pub(super) fn told_start(game: &Game, user: &UserId) -> Option<Timestamp> {
    game.player(user)?.started
}

/// Whether a START that a socket said can have reached the player.
///
/// A browser answers the ping behind it before the page can react to START: no answer, no START, for
/// instance when the page was closing at that moment. Other clients answer pings when they come to it,
/// so of them it is believed unless they fell silent: a second START would falsify the result.
pub(super) fn start_arrived(ending: &Ending, is_browser: bool) -> bool {
    match ending.said {
        Some(Said::Answered) => true,
        Some(Said::Written) => !is_browser && !ending.silent,
        Some(Said::Unwritten) | None => false,
    }
}
