//! When the time is up, and how claims are ranked.

use std::cmp::Reverse;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::game::{Figures, Game, Part, Player, Result as GameResult, Stage, Timestamp, UserId};
use crate::handlers::shared::{Claim, CorrectWords, Finish, Progress, Text, judge};
use crate::live::Step;

/// Time from the end to the ranking, if all claims are there: until then every pod has stored what its players typed.
const STORED: Duration = Duration::from_millis(500);

/// The same, while a claim is missing.
const LATE: Duration = Duration::from_secs(3);

/// How far a race against the clock has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct TimedRace {
    /// Whether the players were told that the time is up.
    is_over: bool,
    /// Whether the claims are ranked.
    is_ranked: bool,
}

impl Part for TimedRace {
    const NAME: &'static str = "timed";
}

/// A claim that waits for the end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    /// The figures, as claimed.
    pub(super) figures: Figures,
    /// The number of correct words, as claimed; `None` for a client that does not count them.
    pub(super) correct_words: Option<u32>,
    /// When it arrived.
    pub(super) at: Timestamp,
}

/// The claim of a player.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct HeldClaim(Option<Held>);

impl Part for HeldClaim {
    const NAME: &'static str = "timed_claim";
}

/// When the players are told that the time is up.
pub(super) fn ends_at(game: &Game) -> Option<Timestamp> {
    game.time_is_up_at().filter(|_| !game.part::<TimedRace>().is_over)
}

/// Ends the time of a race.
pub(super) fn end(game: &mut Game, now: Timestamp) -> Step<()> {
    let Some(due) = ends_at(game).filter(|due| *due <= now) else { return Step::unchanged(()) };
    game.edit(|timed: &mut TimedRace| timed.is_over = true);
    Step::changed(()).not_before(due)
}

/// When the claims are ranked: once all people have claimed, or a little later.
pub(super) fn ranked_at(game: &Game) -> Option<Timestamp> {
    let TimedRace { is_over, is_ranked } = *game.part();
    let end = game.time_is_up_at().filter(|_| is_over && !is_ranked)?;
    let is_complete = game.people().all(|player| player.part::<HeldClaim>().0.is_some());
    Some(end + if is_complete { STORED } else { LATE })
}

/// Whether a claim of the player has to wait for the end.
pub(super) fn holds(game: &Game, user: &UserId) -> bool {
    let is_open = game.stage == Stage::Running && !game.part::<TimedRace>().is_ranked;
    is_open && game.time_limit().is_some() && game.player(user).is_some()
}

/// Holds a claim; the first one of a player counts. Returns whether a claim is held.
pub(super) fn hold(game: &mut Game, user: &UserId, claim: Held) -> Step<bool> {
    let holds = holds(game, user);
    let Some(player) = game.player_mut(user).filter(|_| holds) else {
        return Step::unchanged(false);
    };
    if player.part::<HeldClaim>().0.is_some() {
        return Step::recorded(true);
    }
    player.put(HeldClaim(Some(claim)));
    Step::changed(true)
}

/// Turns a claim that comes after the ranking into a result, the last one. Returns its rank; `None` if it is not late.
pub(super) fn finish_late(
    game: &mut Game,
    user: &UserId,
    claim: Held,
    checks: bool,
) -> Step<Option<u32>> {
    let is_ranked = game.part::<TimedRace>().is_ranked;
    let player = game.player_mut(user).filter(|it| is_ranked && it.result.is_none());
    let Some(player) = player else { return Step::unchanged(None) };
    player.put(HeldClaim(Some(claim)));
    let late = game.player(user).and_then(|player| check(game, player, checks));
    let Some(Checked { correct_words, claim, .. }) = late else { return Step::unchanged(None) };
    let Ok(Finish::Taken(rank)) = game.finish(user, claim) else { return Step::unchanged(None) };
    if let Some(player) = game.player_mut(user) {
        player.put(CorrectWords(Some(correct_words)));
    }
    Step::changed(Some(rank))
}

/// Turns the claims into results: ranked by correct words, then by speed, then by arrival. With `checks`, they are limited
/// to what was seen.
pub(super) fn rank(game: &mut Game, checks: bool, now: Timestamp) -> Step<Vec<(UserId, u32)>> {
    let due = ranked_at(game).filter(|due| *due <= now);
    let Some(due) = due else { return Step::unchanged(Vec::new()) };
    let mut checked: Vec<_> =
        game.people().filter_map(|player| check(game, player, checks)).collect();
    checked.sort_by(|one, two| {
        let order = |it: &Checked| (it.claim.unranked.is_some(), Reverse(it.correct_words));
        let faster = || two.claim.figures.wpm.total_cmp(&one.claim.figures.wpm);
        order(one).cmp(&order(two)).then_with(faster).then(one.claim.at.cmp(&two.claim.at))
    });
    let mut ranks = 1..;
    let mut ranked = Vec::new();
    for Checked { user, correct_words, claim } in checked {
        let Some(player) = game.player_mut(&user) else { continue };
        let Claim { figures, at: finished, unranked } = claim;
        let rank = if unranked.is_none() { ranks.next().unwrap_or_default() } else { 0 };
        player.result = Some(GameResult { rank, finished, figures, unranked });
        player.put(CorrectWords(Some(correct_words)));
        ranked.push((user, rank));
    }
    game.edit(|timed: &mut TimedRace| timed.is_ranked = true);
    Step::changed(ranked).not_before(due)
}

/// A claim, as it counts.
struct Checked {
    user: UserId,
    correct_words: u32,
    claim: Claim,
}

fn check(game: &Game, player: &Player, checks: bool) -> Option<Checked> {
    let Held { figures, correct_words, at } = player.part::<HeldClaim>().0?;
    let (user, text) = (player.user.id.clone(), Text::of(&game.words()));
    let claim = Claim { figures, at, unranked: None };
    let claim = if checks { judge(game, &user, figures, at) } else { claim };
    let counted = || words_within(&text, game.time_limit()?, claim.figures.wpm);
    let claimed = correct_words.or_else(counted).unwrap_or_default();
    let seen = if checks { seen_words(&player.part(), &text) } else { u32::MAX };
    Some(Checked { user, correct_words: claimed.min(seen), claim })
}

/// Number of words that were typed to their end.
fn seen_words(progress: &Progress, text: &Text) -> u32 {
    let is_whole = |(index, typed): &(u32, &u16)| text.word_length(*index) == Some(**typed);
    let words = (0..).zip(&progress.reached).filter(is_whole).count();
    u32::try_from(words).unwrap_or(u32::MAX)
}

/// Number of words of the text that a speed is enough for: a word counts with the blank behind it.
fn words_within(text: &Text, limit: Duration, wpm: f64) -> Option<u32> {
    let mut left = wpm * 5.0 * limit.as_secs_f64() / 60.0;
    let mut words = 0;
    while let Some(length) = text.word_length(words) {
        left -= f64::from(length) + 1.0;
        if left < -1.0 {
            break;
        }
        words += 1;
    }
    Some(words)
}
