//! How claims are checked, and results ranked.

use std::time::Duration;

use crate::Error;
use crate::game::{
    Claim, FASTEST, Figures, Finish, Game, Player, Result as GameResult, Text, Timestamp, Unranked,
    UserId,
};
use crate::live::Step;

/// Highest WPM that is valid. The record is about 300.
const WPM_LIMIT: f64 = 1_000.0;

/// Characters per word, wherever words per minute are computed.
const WORD: f64 = 5.0;

/// Factor by which a client's clock may be off.
const TOLERANCE: f64 = 1.05;
/// How long a message may take.
const LATENESS: Duration = Duration::from_secs(1);
/// How much later than the race's START a player's clock may begin, for pages that were closing at START or had to
/// reconnect. Opening a socket later than that gains nothing.
const GRACE: Duration = Duration::from_secs(5);
/// Share of the text that must be typed for a rank. Less than all, since the present frontend accepts incomplete words
/// except for the last.
const TYPED_AT_LEAST: f64 = 0.9;
/// Positions that must be seen for a rank, per character of the text. Some are lost with a connection.
const SEEN_AT_LEAST: f64 = 0.25;

/// Refuses figures that are impossible in any race.
pub(super) fn check_values(figures: &Figures) -> Result<(), Error> {
    let Figures { wpm, wpm_raw, acc } = *figures;
    for (name, value, limit) in
        [("wpm", wpm, WPM_LIMIT), ("wpm_raw", wpm_raw, f64::MAX), ("acc", acc, 100.0)]
    {
        // NaN is outside of the range, too.
        if !(0.0..=limit).contains(&value) {
            return Err(Error::validation(format!("body {name}: {value} cannot be")));
        }
    }
    Ok(())
}

/// Stores a player's result and decides its rank, once.
///
/// # Errors
/// `NOT_A_PARTICIPANT`, `GAME_NOT_STARTED`.
pub fn hand_in(game: &mut Game, user: &UserId, claim: Claim) -> Step<Result<Finish, Error>> {
    match game.finish(user, claim) {
        Ok(taken @ Finish::Taken(_)) => Step::changed(Ok(taken)),
        // A retry may come because the result is not yet written to the records: let it wait for that, too.
        Ok(before @ Finish::Before(_)) => Step::recorded(Ok(before)),
        Err(kind) => Step::unchanged(Err(kind.into())),
    }
}

/// Checks a claim against the typing that the pods have seen. No claim is refused, and no figure is raised: each is
/// limited to the most that keystrokes and clock support.
///
/// The clock runs from the race's START, or the player's first START if that came a little later, to the end of the
/// text, or to the last position if the end was not seen.
pub(super) fn judge(game: &Game, user: &UserId, claimed: Figures, at: Timestamp) -> Claim {
    let Some(player) = game.player(user) else {
        return Claim { figures: claimed, at, unranked: None };
    };
    let text = Text::of(&game.words);
    let whole = (!player.is_followed()).then(|| text.typed(at));
    let seen = whole.as_ref().unwrap_or(&player.progress);
    let begun = game.starts_at.unwrap_or(at);
    let first = player.first_started.or(player.started).unwrap_or(begun);
    let since = first.clamp(begun, begun + GRACE);
    let used = seen.completed.or(seen.at).unwrap_or(at).after(since);
    let text = f64::from(text.characters());
    let fastest = FASTEST * (used + LATENESS).as_secs_f64();
    let reached = f64::from(seen.characters()).min(fastest);
    let (keys, extra) = (f64::from(seen.keys), f64::from(seen.extra));
    let typed = keys.max(reached + extra);
    let limit = |characters: f64| {
        let seconds = used.saturating_sub(LATENESS).as_secs_f64().max(characters / FASTEST);
        if seconds > 0.0 { characters / WORD / (seconds / 60.0) * TOLERANCE } else { 0.0 }
    };
    let strokes = typed * TOLERANCE;
    let acc = if extra > 0.0 { (strokes - extra) / strokes * 100.0 } else { 100.0 };
    let figures = Figures {
        wpm: claimed.wpm.min(limit(reached)),
        wpm_raw: claimed.wpm_raw.min(limit(typed)),
        acc: claimed.acc.min(acc),
    };
    let unranked = if keys < text * SEEN_AT_LEAST {
        Some(Unranked::KeystrokesNotSeen)
    } else {
        (reached < text * TYPED_AT_LEAST).then_some(Unranked::TextNotTyped)
    };
    Claim { figures, at, unranked }
}

/// People by rank, then bots and then unranked people, both by arrival of their results; last the players without a
/// result, in order of arrival in the lobby.
pub(super) fn ranking(players: &[Player]) -> Vec<&Player> {
    let mut ranking: Vec<_> = players.iter().collect();
    // The sort is stable: players without a result keep their order.
    ranking.sort_by_key(|player| match player.result {
        Some(result) if player.user.is_bot() => (1, result.finished.0),
        Some(GameResult { rank: 0, finished, .. }) => (2, finished.0),
        Some(result) => (0, result.rank.into()),
        None => (3, 0),
    });
    ranking
}
