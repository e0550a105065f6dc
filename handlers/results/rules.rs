//! Which claims are valid, and how results are ranked.

use std::time::Duration;

use crate::Error;
use crate::game::{Figures, Game, Player, Result as GameResult, Timestamp, UserId};
use crate::handlers::shared::{Claim, CorrectWords, Finish, GATHERED, MADE_UP, Progress};
use crate::live::Step;

/// Highest WPM that is valid. The record is about 300.
const WPM_LIMIT: f64 = 1_000.0;

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

/// Timeout for the claim of an earlier finisher, and how much later than its keys a claim may come.
const CLAIM_LATE: Duration = Duration::from_secs(1);

/// Added to the wait for each earlier finisher, so that claims which wait for the same one keep their order.
const APART: Duration = Duration::from_millis(20);

/// When a player had typed the end of the text, counted from the race's START by a clock that began when START arrived at the player:
/// less the latency of the connection, and how much later than others this player was told START.
fn ended(game: &Game, player: &Player) -> Option<Timestamp> {
    let progress = player.part::<Progress>();
    Some(progress.completed? - made_up(game, player, progress.late))
}

/// What is made up for a player whose keys arrive so many milliseconds late.
fn made_up(game: &Game, player: &Player, late: u16) -> Duration {
    let told = player.first_started().zip(game.starts_at);
    let told_late = told.map_or(Duration::ZERO, |(told, starts_at)| told.after(starts_at));
    (told_late + Duration::from_millis(late.into())).min(MADE_UP)
}

/// When a player finished whose claim arrives now: when the end of the text was typed, by the player's own clock. Now, if the claim comes
/// much later than its keys.
pub(super) fn finished_at(game: &Game, user: &UserId, now: Timestamp) -> Timestamp {
    let ended = game.player(user).and_then(|player| ended(game, player));
    ended.filter(|at| now.after(*at) <= CLAIM_LATE).map_or(now, |at| at.min(now))
}

/// When a claim may take its rank: once no other player can have reached the end of the text earlier whose keys, or whose
/// claim, are still on their way. `None` if the claim need not wait.
pub(super) fn turn_at(game: &Game, user: &UserId) -> Option<Timestamp> {
    let own = ended(game, game.player(user)?)?;
    let others = game.people().filter(|it| it.result.is_none() && it.user.id != *user);
    let (mut until, mut earlier) = (None, 0);
    for other in others {
        let wait = match ended(game, other) {
            Some(ended) if ended < own => {
                earlier += 1;
                CLAIM_LATE
            }
            Some(_) => continue,
            None => match made_up(game, other, other.part::<Progress>().round_trip) {
                Duration::ZERO => Duration::ZERO,
                late => late + GATHERED,
            },
        };
        until = until.max(Some(own + wait));
    }
    until.map(|until| until + APART * earlier)
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

/// People by rank; then bots, by correct words and by arrival of their results; then unranked people, by arrival; last
/// the players without a result, in order of arrival in the lobby.
pub(super) fn ranking(players: &[Player]) -> Vec<&Player> {
    // Without a time limit there are none.
    let words = |player: &Player| i64::from(player.part::<CorrectWords>().0.unwrap_or_default());
    let mut ranking: Vec<_> = players.iter().collect();
    // The sort is stable: players without a result keep their order.
    ranking.sort_by_key(|player| match player.result {
        Some(result) if !player.user.is_person() => (1, -words(player), result.finished.0),
        Some(GameResult { rank: 0, finished, .. }) => (2, 0, finished.0),
        Some(result) => (0, 0, result.rank.into()),
        None => (3, 0, 0),
    });
    ranking
}
