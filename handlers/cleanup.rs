//! The end of a game: its facts are removed, and its open sockets are woken to find that out.

use crate::Error;
use crate::game::{Game, GameEnded, GameId, Stage, Timestamp};
use crate::live::Step;
use crate::module::{Cx, Module, Wiring};
use crate::socket::RACE;

inventory::submit! { Module { name: "cleanup", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.timer("game.cleanup", ends_at, end);
    module.wakes::<GameEnded>(RACE);
    module.counter("races_finished", "Races that ended with a result of every person in them");
    module.counter("races_abandoned", "Races that ended without a result of some person in them");
}

fn ends_at(game: &Game) -> Option<Timestamp> {
    Some(game.ends_at)
}

/// Removes a game whose time is over.
pub fn over(game: &mut Game, now: Timestamp) -> Step<()> {
    if game.ends_at <= now { Step::over(()).not_before(game.ends_at) } else { Step::unchanged(()) }
}

async fn end(cx: Cx, game: GameId) -> Result<Option<GameEnded>, Error> {
    let now = cx.now();
    let ended = cx.live().advance("end", game, |game| over(game, now)).await?;
    if let Some(game) = ended.as_deref().filter(|game| game.stage >= Stage::Countdown) {
        let is_finished = game.people().all(|player| player.result.is_some());
        cx.counter(if is_finished { "races_finished" } else { "races_abandoned" }).add(1);
    }
    Ok(ended.map(|game| GameEnded { game: game.id }))
}
