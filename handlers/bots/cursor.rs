//! The cursors of bots: each pod moves them for its own sockets, by a plan that every pod can compute.
//!
//! A pod begins at START, or when a socket opens in a running race: the player has moved from another pod, or the pod
//! was restarted. So no position of a bot is sent between pods, and no cursor stops because a pod is gone.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use salvo::oapi::ToSchema;
use serde::Serialize;

use super::plan::{Plan, Stroke};
use super::settings::BotSettings;
use super::typing;
use crate::Error;
use crate::bus::Heard;
use crate::game::{GameId, RaceEntered, RaceStarted, Timestamp, UserId};
use crate::handlers::shared::{BotMoved, RaceWatched, WATCH};
use crate::module::Cx;
use crate::socket::{Message, RACE};

/// A bot's position (the event's name is the contract's).
#[derive(Serialize, ToSchema)]
pub(super) struct BotCursor {
    game_id: GameId,
    user_id: UserId,
    /// Index of the word, from 0.
    word_index: u32,
    /// Index of the last character typed in the word; -1 before the first.
    char_index: i32,
}

impl Message for BotCursor {
    const EVENT: &'static str = "KEY_STOKE";
}

impl BotCursor {
    pub(super) fn of(moved: &BotMoved) -> Self {
        let BotMoved { game, user, word_index, char_index } = moved;
        let (game_id, user_id) = (*game, user.clone());
        Self { game_id, user_id, word_index: *word_index, char_index: *char_index }
    }
}

/// The races in which this pod is moving cursors.
#[derive(Default)]
pub(super) struct Moving(Mutex<HashSet<GameId>>);

/// Held by the task that moves the cursors of a race.
struct Mover {
    of: Arc<Moving>,
    game: GameId,
}

impl Mover {
    /// `None` if another task of this pod is moving them already.
    fn of(moving: Arc<Moving>, game: GameId) -> Option<Self> {
        let is_first = moving.0.lock().insert(game);
        is_first.then(|| Self { of: moving, game })
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.of.0.lock().remove(&self.game);
    }
}

/// Moves cursors from START on.
pub(super) async fn begin(cx: Cx, started: Heard<RaceStarted>) -> Result<(), Error> {
    move_here(&cx, started.game).await
}

/// Moves cursors if a socket has entered a running race.
pub(super) async fn go_on(cx: Cx, entered: Heard<RaceEntered>) -> Result<(), Error> {
    move_here(&cx, entered.game).await
}

/// Moves cursors for those who watch a race from this pod.
pub(super) async fn go_on_for_watchers(cx: Cx, watched: Heard<RaceWatched>) -> Result<(), Error> {
    move_here(&cx, watched.game).await
}

/// Moves the cursors of all bots of a running race, if this pod has a socket in it, or one that watches it.
async fn move_here(cx: &Cx, id: GameId) -> Result<(), Error> {
    let is_seen = || [RACE, WATCH].iter().any(|channel| cx.rooms().get(*channel, id).is_some());
    if !cx.state::<BotSettings>().is_on || !is_seen() {
        return Ok(());
    }
    let Some(mover) = Mover::of(cx.state::<Moving>(), id) else { return Ok(()) };
    let Some(game) = cx.live().find(id).await? else { return Ok(()) };
    let ends_at = game.time_is_up_at().map_or(game.ends_at, |up| up.min(game.ends_at));
    let left = ends_at.after(cx.now());
    let its = cx.clone();
    let all: Vec<_> =
        typing(&game).map(|(bot, start, plan)| (bot.id.clone(), start, plan)).collect();
    if all.is_empty() {
        return Ok(());
    }
    cx.beside(async move {
        let _mover = mover;
        let cursors = all.iter().map(|(bot, start, plan)| type_along(&its, id, bot, plan, *start));
        // A slow bot with a long text is stopped at the end of its game.
        let _ = tokio::time::timeout(left, join_all(cursors)).await;
    });
    Ok(())
}

/// Moves the cursor of a bot from its current position to the end of the text.
async fn type_along(cx: &Cx, game: GameId, bot: &UserId, plan: &Plan, start: Timestamp) {
    for Stroke { after, word_index, char_index } in plan.strokes_from(cx.now().after(start)) {
        tokio::time::sleep((start + *after).after(cx.now())).await;
        let (word_index, char_index) = (*word_index, *char_index);
        cx.publish(BotMoved { game, user: bot.clone(), word_index, char_index }).await;
    }
}
