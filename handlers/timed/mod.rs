//! Races against the clock: as many words as one can type in 60 or 30 seconds. Players queue in with `game_type=timed`, and
//! meet others who chose the same time.
//!
//! Claims are held until the time is up for all. Then they are checked, and ranked by correct words.

mod rules;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::Serialize;

use self::rules::Held;
use self::settings::TimedSettings;
use crate::game::{Door, Game, GameId, Parts, PlayerFinished};
use crate::handlers::shared::{ClaimMade, Mode, ModeWanted, TimeIsUp, TimeLimit};
use crate::http::Answer;
use crate::module::{Cx, Module, Wiring};
use crate::socket::{Message, RACE};
use crate::{Error, Kind};

inventory::submit! { Module { name: "timed", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(TimedSettings::load);
    module.decides(0, mode);
    module.decides(0, hold);
    module.timer("timed.end", rules::ends_at, end);
    module.timer("timed.ranking", rules::ranked_at, rank);
    module.shows(RACE, TimeUp::of);
    module.get("/api/v1/lobby/timed", times);
}

/// The value of `game_type`.
const TIMED: &str = "timed";

/// `game_type=timed`, with `seconds`.
async fn mode(cx: Cx, wanted: Arc<ModeWanted>) -> Result<Option<Mode>, Error> {
    let asked = |name: &str| wanted.query.get(name).map(String::as_str);
    if asked("game_type") != Some(TIMED) {
        return Ok(None);
    }
    let seconds = cx.state::<TimedSettings>().chosen(asked("seconds"))?;
    let door = Door::of_kind(format!("Timed{seconds}"));
    Ok(Some(Mode { door, parts: Parts::default().with(TimeLimit(Some(seconds))) }))
}

/// The races against the clock that this server offers.
#[derive(Serialize, ToSchema)]
struct Times {
    /// The times, in seconds; the first is the default.
    seconds: Vec<u16>,
}

/// The times for which players can race against the clock: `seconds` of the lobby socket.
#[endpoint(tags("lobby"))]
async fn times(cx: Cx) -> Answer<Times> {
    Answer::new(Times { seconds: cx.state::<TimedSettings>().offered().to_vec() })
}

/// Holds a claim in a race against the clock. One that comes after the ranking becomes a result at once.
async fn hold(cx: Cx, made: Arc<ClaimMade>) -> Result<Option<()>, Error> {
    if made.game.time_limit().is_none() {
        return Ok(None);
    }
    let (id, user, checks) = (made.game.id, made.user.clone(), cx.settings().game.check_results);
    let claim = Held { figures: made.figures, correct_words: made.correct_words, at: cx.now() };
    let its = cx.clone();
    cx.run_to_completion(async move {
        let hold = |game: &mut Game| rules::hold(game, &user, claim);
        let held = its.live().change("hold", id, hold).await?;
        let (is_held, game) = held.ok_or(Kind::GAME_NOT_FOUND)?;
        if is_held {
            its.arm(&game);
            return Ok(Some(()));
        }
        let finish = |game: &mut Game| rules::finish_late(game, &user, claim, checks);
        let finished = its.live().change("finish_late", id, finish).await?;
        let Some(rank) = finished.and_then(|(rank, _)| rank) else { return Ok(None) };
        its.publish(PlayerFinished { game: id, user, rank }).await;
        Ok(Some(()))
    })
    .await
}

/// The time is up.
async fn end(cx: Cx, game: GameId) -> Result<Option<TimeIsUp>, Error> {
    let now = cx.now();
    let ended = cx.live().advance("end_time", game, |game| rules::end(game, now)).await?;
    Ok(ended.map(|game| {
        cx.arm(&game);
        TimeIsUp { game: game.id }
    }))
}

/// Ranks the claims.
async fn rank(cx: Cx, id: GameId) -> Result<Vec<PlayerFinished>, Error> {
    let (now, checks) = (cx.now(), cx.settings().game.check_results);
    let ranked = cx.live().change("rank", id, |game| rules::rank(game, checks, now)).await?;
    let ranked = ranked.map(|(ranked, _)| ranked).unwrap_or_default();
    Ok(ranked.into_iter().map(|(user, rank)| PlayerFinished { game: id, user, rank }).collect())
}

/// The time of the race is up.
#[derive(Serialize, ToSchema)]
struct TimeUp {
    game_id: GameId,
}

impl Message for TimeUp {
    const EVENT: &'static str = "TIME_UP";
}

impl TimeUp {
    fn of(up: &TimeIsUp) -> Self {
        Self { game_id: up.game }
    }
}
