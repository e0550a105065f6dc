//! What a result can be, and how results are ranked.

use std::time::Duration;

use crate::game::{Figures, Game, Player, Text, Timestamp, UserId};
use crate::live::Claim;
use crate::{Error, Kind};

/// Nobody types faster: the record is about 300 words per minute.
const WPM_LIMIT: f64 = 1_000.0;

/// Characters per word, wherever words per minute are computed.
const WORD: f64 = 5.0;

/// How far a client's clock may be off.
const TOLERANCE: f64 = 1.05;
/// How long a message may be on its way.
const LATENESS: Duration = Duration::from_secs(1);
/// The part of the text that somebody has typed at least who came to its end: the last word has to
/// be right, but others may be cut short.
const TYPED_AT_LEAST: f64 = 0.7;

/// Values that cannot be, whatever the race was.
pub(super) fn check_values(figures: &Figures) -> Result<(), Error> {
    let Figures { wpm, wpm_raw, acc } = *figures;
    for (name, value, limit) in
        [("wpm", wpm, WPM_LIMIT), ("wpm_raw", wpm_raw, f64::MAX), ("acc", acc, 100.0)]
    {
        // Neither does NaN lie in the range.
        if !(0.0..=limit).contains(&value) {
            return Err(Error::validation(format!("body {name}: {value} cannot be")));
        }
    }
    Ok(())
}

/// A speed that the server's own clock rules out, counted from when START was told to this player:
/// when it was noted, or `said`, when it went out, if that is known.
///
/// Two ways to be impossible: faster than the whole text in the time that was used, and done before
/// most of the text can have been typed at the speed that is claimed. `last_key` is when the last
/// position of the player came: with it, a claim that is sent late is not taken for a slow race.
pub(super) fn check_speed(
    game: &Game,
    user: &UserId,
    claim: &Claim,
    said: Option<Timestamp>,
    last_key: Option<Timestamp>,
) -> Result<(), Error> {
    // Who never opened a socket began with everybody else.
    let told = game.player(user).and_then(|player| player.started);
    let since = said.max(told).or(game.starts_at).ok_or(Kind::GAME_NOT_STARTED)?;
    let words = f64::from(Text::of(&game.words).characters()) / WORD;
    let minutes = |time: Duration| time.as_secs_f64() / 60.0;
    let speed = claim.figures.wpm.max(claim.figures.wpm_raw.min(WPM_LIMIT));

    let may_have_ended = |at: Timestamp| {
        let used = at.after(since);
        let too_fast =
            claim.figures.wpm * minutes(used.saturating_sub(LATENESS)) > words * TOLERANCE;
        let passed = minutes(used) * TOLERANCE + minutes(LATENESS);
        let too_soon = passed * speed < words * TYPED_AT_LEAST;
        !too_fast && !too_soon
    };
    if !may_have_ended(claim.at) && !last_key.is_some_and(may_have_ended) {
        let message = "the time since START does not allow this speed";
        return Err(Error::new(Kind::IMPLAUSIBLE_RESULT, message));
    }
    Ok(())
}

/// People by rank, then bots by their arrival; those without a result last, in the order of their arrival
/// in the lobby.
pub(super) fn ranking(players: &[Player]) -> Vec<&Player> {
    let mut ranking: Vec<_> = players.iter().collect();
    // The sort is stable: equals keep their order.
    ranking.sort_by_key(|player| match player.result {
        Some(result) if player.user.is_bot() => (1, result.finished.0),
        Some(result) => (0, result.rank.into()),
        None => (2, 0),
    });
    ranking
}
