//! Ghosts: a player races against a recording, alone or with friends. The query of the socket that opens the lobby names a replay and
//! a player in it; the race has its text, and a seat whose caret moves as that player typed.
//!
//! The way of a ghost is stored with the game in the compact form of logs, so every pod can move the caret for its own sockets
//! (`shared/moved`), and any pod can hand in the result when it is due. A ghost has no rank and is in no record, as bots.

mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::Serialize;

use self::rules::Challenge;
use crate::Error;
use crate::bus::Heard;
use crate::game::{
    Game, GameId, Parts, PlayerFinished, PlayerJoined, RaceEntered, RaceStarted, User, UserId,
    UserType,
};
use crate::handlers::shared::{
    BestWanted, DrawnText, Finish, GHOST, GhostMoved, LobbyWanted, Mover, Moving, PublicLink,
    RaceWatched, RecordingWanted, TextWanted,
};
use crate::http::{Answer, Caller};
use crate::live::Step;
use crate::module::{Cx, Module, Slot, Wiring};
use crate::socket::RACE;

inventory::submit! { Module { name: "ghosts", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(|_| Ok(Moving::default()));
    module.decides(0, opening);
    // After the text of a day, by which all its races are compared.
    module.decides(PRIORITY, text);
    module.timer("ghosts.arrival", rules::arrives_at, arrive);
    module.timer("ghosts.finish", rules::finishes_at, finish);
    module.hears(begin);
    module.hears(go_on);
    // A lost event of this kind costs the caret until the next one.
    module.listens(go_on_for_watchers, |_| async { Ok(()) });
    module.emits::<GhostMoved>();
    module.shows(RACE, GhostMoved::shown);
    module.get("/api/v1/ghosts/best", best);
    module.client(Slot::Named("replay"), "replay.js");
    module.client(Slot::Result, "result.js");
}

/// The priority of its text: the way of a ghost fits no other.
const PRIORITY: i32 = -1;

/// Stores the challenge in the query with the lobby that it opens: `challenge`, the link to a replay, and `player`, the number of a
/// player in it.
async fn opening(cx: Cx, wanted: Arc<LobbyWanted>) -> Result<Option<Parts>, Error> {
    let asked = |name: &str| wanted.query.get(name).map(String::as_str);
    let Some(link) = asked("challenge") else { return Ok(None) };
    let player = asked("player").map_or(Ok(1), str::parse);
    let player = player.map_err(|_| Error::validation("player: must be a number from 1"))?;
    let unknown = || Error::validation("challenge: leads to no recording with a result");
    let game = PublicLink::Replay.game(&cx, link).ok_or_else(unknown)?;
    let recorded = cx.ask(RecordingWanted { game, player }).await?.ok_or_else(unknown)?;
    Ok(Some(Parts::default().with(Challenge::of(&recorded, cx.now())?)))
}

/// The text of a race with a ghost is that of the recording.
async fn text(_: Cx, wanted: Arc<TextWanted>) -> Result<Option<DrawnText>, Error> {
    Ok(wanted.game.part::<Challenge>().text())
}

/// A ghost takes its seat.
async fn arrive(cx: Cx, id: GameId) -> Result<Option<PlayerJoined>, Error> {
    let ghost = UserId::from(format!("{GHOST}{:016x}", rand::random::<u64>()).as_str());
    let sit = |game: &mut Game| {
        let name = game.part::<Challenge>().label();
        let user = User { id: ghost.clone(), name, user_type: UserType::Guest };
        Step::changed_if(rules::sit_down(game, user))
    };
    let seated = cx.live().advance("seat_ghost", id, sit).await?;
    Ok(seated.map(|game| {
        cx.arm(&game);
        PlayerJoined { game: game.id, user: ghost }
    }))
}

/// Hands in the result of a ghost when its recording ends.
async fn finish(cx: Cx, id: GameId) -> Result<Option<PlayerFinished>, Error> {
    let now = cx.now();
    let hand_in = |game: &mut Game| {
        let Some((ghost, claim)) = rules::claim(game, now) else { return Step::unchanged(None) };
        match game.finish(&ghost, claim) {
            Ok(Finish::Taken(rank)) => Step::changed(Some((ghost, rank))),
            Ok(Finish::Before(_)) | Err(_) => Step::unchanged(None),
        }
    };
    let Some((finished, game)) = cx.live().change("finish", id, hand_in).await? else {
        return Ok(None);
    };
    Ok(finished.map(|(user, rank)| {
        cx.arm(&game);
        PlayerFinished { game: id, user, rank }
    }))
}

async fn begin(cx: Cx, started: Heard<RaceStarted>) -> Result<(), Error> {
    move_here(&cx, started.game).await
}

async fn go_on(cx: Cx, entered: Heard<RaceEntered>) -> Result<(), Error> {
    move_here(&cx, entered.game).await
}

async fn go_on_for_watchers(cx: Cx, watched: Heard<RaceWatched>) -> Result<(), Error> {
    move_here(&cx, watched.game).await
}

/// Moves the caret of a ghost for the sockets of this pod.
async fn move_here(cx: &Cx, id: GameId) -> Result<(), Error> {
    let moving = cx.state::<Moving>();
    if !moving.are_wanted(cx, id) {
        return Ok(());
    }
    let Some(game) = cx.live().find(id).await? else { return Ok(()) };
    let Some((ghost, start)) = rules::typing(&game) else { return Ok(()) };
    let Some(mover) = Mover::of(moving, id) else { return Ok(()) };
    let strokes = game.part::<Challenge>().strokes();
    mover.run(cx, &game, vec![(ghost.clone(), start, strokes)], GhostMoved::of);
    Ok(())
}

/// The caller's best race to challenge.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "BestToChallenge"))]
struct Best {
    /// `challenge` of the lobby socket; null without a recorded race.
    challenge: Option<String>,
    /// `player` of the lobby socket.
    player: Option<usize>,
}

/// The fastest of the caller's latest recorded races, to race against.
#[endpoint(tags("recordings"))]
async fn best(cx: Cx, caller: Caller) -> Result<Answer<Best>, Error> {
    let found = cx.ask(BestWanted { user: caller.0.id }).await?;
    let challenge = found.map(|(game, _)| PublicLink::Replay.to(&cx, game));
    Ok(Answer::new(Best { challenge, player: found.map(|(_, player)| player) }))
}
