//! The rules of the race: pure functions, without clock or random numbers.

use std::sync::Arc;
use std::time::Duration;

use crate::game::{Door, Game, Stage, Timestamp, UserId};
use crate::handlers::shared::{Edit, Edited, TextAbout, TextWish, TimeLimit, Wishes, Words};
use crate::live::Step;
use crate::settings::GameSettings;
use crate::socket::{Ending, Said};

/// Words per second of the fastest typist: a text is longer than what can be typed until the time is up.
const WORDS_PER_SECOND: u16 = 6;

/// How long a position may travel that was typed before the time was up.
const LATENESS: Duration = Duration::from_millis(500);

/// When to prepare a closed lobby that `lobby.closed` has not prepared, because a pod died in between.
pub(super) fn to_be_prepared(game: &Game) -> Option<Timestamp> {
    // Gives `lobby.closed` time to be handled first.
    (game.stage == Stage::Closed).then(|| game.closes_at + Duration::from_millis(500))
}

pub(super) fn starts_at(game: &Game) -> Option<Timestamp> {
    game.starts_at.filter(|_| game.stage == Stage::Countdown)
}

/// Gives a closed lobby its words and its START.
pub fn prepare(game: &mut Game, words: &Arc<str>, starts_at: Timestamp) -> Step<()> {
    if game.stage != Stage::Closed {
        return Step::unchanged(());
    }
    game.stage = Stage::Countdown;
    game.put(Words(words.clone()));
    game.starts_at = Some(starts_at);
    Step::changed(())
}

/// The same, with what is known of the text.
pub(super) fn prepare_text(
    game: &mut Game,
    words: &Arc<str>,
    about: &TextAbout,
    starts_at: Timestamp,
) -> Step<()> {
    let step = prepare(game, words, starts_at);
    if step.is_change() && *about != TextAbout::default() {
        game.put(about.clone());
    }
    step
}

/// Gives START to a race that is due.
pub fn start(game: &mut Game, now: Timestamp) -> Step<()> {
    let due = starts_at(game).filter(|due| *due <= now);
    let Some(due) = due else { return Step::unchanged(()) };
    (game.stage, game.starts_at) = (Stage::Running, Some(now));
    Step::changed(()).not_before(due)
}

/// Claims START for a socket, if it is given and the player has not been told. Of several sockets only one succeeds,
/// and tells it.
pub fn claim_start(game: &mut Game, user: &UserId, now: Timestamp) -> Step<()> {
    let is_due = start_is_due(game, user);
    let Some(player) = game.player_mut(user).filter(|_| is_due) else { return Step::unchanged(()) };
    player.start(now);
    Step::changed(())
}

/// Releases the claim made at `claimed`, if it still stands: START did not reach the player.
pub fn release_start(game: &mut Game, user: &UserId, claimed: Timestamp) -> Step<()> {
    let player = game.player_mut(user).filter(|player| player.started() == Some(claimed));
    let Some(player) = player else { return Step::unchanged(()) };
    player.take_start_back();
    Step::changed(())
}

/// Time from the end of the lobby to START: shorter in a race alone, and if all people are ready.
pub(super) fn wait(game: &Game, settings: &GameSettings) -> Duration {
    let is_short = game.door == Door::ALONE || game.is_ready();
    let shortest = settings.single_countdown;
    if is_short { settings.start_countdown.min(shortest) } else { settings.start_countdown }
}

/// The options by which the text is drawn. Strangers, who meet without a key, get the defaults.
pub(super) fn text_wish(game: &Game, word_count: usize) -> TextWish {
    let wish = game.part::<Wishes>().text;
    let wish = if game.door.is_public() { TextWish::default() } else { wish };
    let words = wish.words.or(u16::try_from(word_count).ok());
    let typed = game.part::<TimeLimit>().0.map(|seconds| seconds.saturating_mul(WORDS_PER_SECOND));
    TextWish { words: words.max(typed), ..wish }
}

/// The user's unfinished race: the latest of the games in which the user has a seat, which come oldest first.
pub(super) fn current<'a>(played: &'a [Arc<Game>], user: &UserId) -> Option<&'a Game> {
    let mut races = played.iter().filter(|game| game.stage >= Stage::Countdown);
    let latest = races.next_back()?;
    latest.player(user).filter(|player| player.result.is_none()).map(|_| &**latest)
}

/// Until when positions count, if there is a time limit.
pub(super) fn typing_ends_at(game: &Game) -> Option<Timestamp> {
    game.time_is_up_at().map(|at| at + LATENESS)
}

/// Seconds until START; 0 once the race is on.
pub(super) fn seconds_left(game: &Game, now: Timestamp) -> f64 {
    starts_at(game).map_or(0.0, |at| at.after(now).as_secs_f64())
}

/// Most edits of a frame, and most characters that one of them types.
const EDITS: usize = 128;
const TYPED: usize = 64;
/// Most characters that an edit deletes.
const DELETED: u32 = 4096;

/// Whether a frame with these edits is valid.
pub(super) fn are_valid(edits: &[Edit]) -> bool {
    let is_valid = |edit: &Edit| edit.del <= DELETED && edit.ins.chars().count() <= TYPED;
    (1..=EDITS).contains(&edits.len()) && edits.iter().all(is_valid)
}

/// After how many edits the client is told that they have arrived.
const ACKNOWLEDGED: u32 = 16;

/// Whether the client is told how many edits have arrived, of which `before` had arrived earlier.
pub(super) fn is_to_be_acknowledged(before: u32, edited: &Edited) -> bool {
    let is_round = before / ACKNOWLEDGED != edited.known / ACKNOWLEDGED;
    is_round || edited.is_gap || edited.is_repeat || edited.is_milestone
}

/// Whether START is given and the player has not been told.
pub(super) fn start_is_due(game: &Game, user: &UserId) -> bool {
    let untold = game.player(user).is_some_and(|player| player.started().is_none());
    game.stage == Stage::Running && untold
}

/// When START was claimed for a player, if it was.
pub(super) fn told_start(game: &Game, user: &UserId) -> Option<Timestamp> {
    game.player(user)?.started()
}

/// Whether a START that a socket has sent can have reached the player.
///
/// A browser answers the ping sent after START before the page can react to START. Without an answer START did not
/// arrive, for example because the page was closing. Other clients may answer pings late, so START counts as arrived
/// once it is written, unless the client has fallen silent: a second START would falsify the result.
pub(super) fn start_arrived(ending: &Ending, is_browser: bool) -> bool {
    match ending.said {
        Some(Said::Answered) => true,
        Some(Said::Written) => !is_browser && !ending.silent,
        Some(Said::Unwritten) | None => false,
    }
}
