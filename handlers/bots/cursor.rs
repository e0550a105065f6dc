//! The cursors of bots: each pod moves them for its own sockets (`shared/moved`).

use super::settings::BotSettings;
use super::typing;
use crate::Error;
use crate::bus::Heard;
use crate::game::{GameId, RaceEntered, RaceStarted};
use crate::handlers::shared::{BotMoved, Mover, Moving, RaceWatched};
use crate::module::Cx;

/// Moves cursors from START on.
pub(super) async fn begin(cx: Cx, started: Heard<RaceStarted>) -> Result<(), Error> {
    move_here(&cx, started.game).await
}

/// Moves cursors if a socket has entered a running race.
pub(super) async fn go_on(cx: Cx, entered: Heard<RaceEntered>) -> Result<(), Error> {
    move_here(&cx, entered.game).await
}

/// Moves cursors for the spectators on this pod.
pub(super) async fn go_on_for_watchers(cx: Cx, watched: Heard<RaceWatched>) -> Result<(), Error> {
    move_here(&cx, watched.game).await
}

/// Moves the cursors of all bots of a running race.
async fn move_here(cx: &Cx, id: GameId) -> Result<(), Error> {
    let moving = cx.state::<Moving>();
    if !cx.state::<BotSettings>().is_on || !moving.are_wanted(cx, id) {
        return Ok(());
    }
    let Some(game) = cx.live().find(id).await? else { return Ok(()) };
    let all = typing(&game).map(|(bot, start, plan)| (bot.id.clone(), start, plan.into_strokes()));
    let all: Vec<_> = all.collect();
    if let Some(mover) = Mover::of(moving, id).filter(|_| !all.is_empty()) {
        mover.run(cx, &game, all, BotMoved::of);
    }
    Ok(())
}
