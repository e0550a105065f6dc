//! How claims are checked.

use std::time::Duration;

use super::{Claim, FASTEST, Progress, Text};
use crate::game::{Figures, Game, Timestamp, Unranked, UserId};

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

/// Checks a claim against the typing that the pods have seen. No claim is refused, and no figure is raised: each is
/// limited to the most that keystrokes and clock support.
///
/// The clock runs from the race's START, or the player's first START if that came a little later, to the end of the
/// text, or to the last position if the end was not seen.
pub fn judge(game: &Game, user: &UserId, claimed: Figures, at: Timestamp) -> Claim {
    let Some(player) = game.player(user) else {
        return Claim { figures: claimed, at, unranked: None };
    };
    let (text, progress) = (Text::of(&game.words()), player.part::<Progress>());
    let whole = (!player.is_followed()).then(|| text.typed(at));
    let seen = whole.as_ref().unwrap_or(&progress);
    let begun = game.starts_at.unwrap_or(at);
    let first = player.first_started().or(player.started()).unwrap_or(begun);
    let since = first.clamp(begun, begun + GRACE);
    let used = seen.completed.or(seen.at).unwrap_or(at).after(since);
    let (whole, limit) = (f64::from(text.characters()), game.time_limit());
    // Against the clock, as much of the text counts as the player claims to have typed.
    let claimed_part = |limit: Duration| claimed.wpm * WORD * limit.as_secs_f64() / 60.0;
    let text = limit.map_or(whole, |limit| whole.min(claimed_part(limit)));
    let fastest = FASTEST * (used + LATENESS).as_secs_f64();
    let reached = f64::from(seen.characters()).min(fastest);
    let (keys, extra) = (f64::from(seen.keys), f64::from(seen.extra));
    let typed = keys.max(reached + extra);
    let fastest_for = |characters: f64| {
        let seconds = used.saturating_sub(LATENESS).as_secs_f64().max(characters / FASTEST);
        if seconds > 0.0 { characters / WORD / (seconds / 60.0) * TOLERANCE } else { 0.0 }
    };
    let strokes = typed * TOLERANCE;
    let acc = if extra > 0.0 { (strokes - extra) / strokes * 100.0 } else { 100.0 };
    let figures = Figures {
        wpm: claimed.wpm.min(fastest_for(reached)),
        wpm_raw: claimed.wpm_raw.min(fastest_for(typed)),
        acc: claimed.acc.min(acc),
    };
    let unranked = if keys < text * SEEN_AT_LEAST {
        Some(Unranked::KeystrokesNotSeen)
    } else {
        (limit.is_none() && reached < text * TYPED_AT_LEAST).then_some(Unranked::TextNotTyped)
    };
    Claim { figures, at, unranked }
}
