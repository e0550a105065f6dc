//! Pace-makers, so that nobody waits alone: shortly before a lobby of too few people closes, bots sit down
//! in it. They type with a rhythm of their own, make mistakes, and say by their names what they are.
//!
//! All that a bot does follows from its id, the text and START (`plan.rs`). So nothing of it is kept but its seat,
//! its result comes from whichever server is there when the time has come, and each server moves its cursor
//! for the sockets that it holds itself (`cursor.rs`): a server that was restarted goes on where the bot is by now.

mod cursor;
mod pace;
mod plan;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::Serialize;

use self::cursor::{BotCursor, BotMoved, Moving};
use self::plan::Plan;
use self::settings::BotSettings;
use crate::Error;
use crate::game::{
    Claim, Door, Finish, Game, GameId, Passage, Player, PlayerFinished, PlayerJoined, Stage,
    Timestamp, User,
};
use crate::http::Answer;
use crate::live::Step;
use crate::module::{Cx, Module, Wiring};
use crate::socket::RACE;

inventory::submit! { Module { name: "bots", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(BotSettings::load);
    module.optional_timer("bots.arrival", BotSettings::are_on, arrive_at, arrive);
    module.optional_timer("bots.finish", BotSettings::are_on, finishes_at, finish);
    module.state(|_| Ok(Moving::default()));
    module.hears(cursor::begin);
    module.hears(cursor::go_on);
    module.emits::<BotMoved>();
    module.shows(RACE, BotCursor::of);
    module.get("/api/v1/lobby/bots", expected);
}

/// How long before the end of the lobby they come: people are to see them, and to come first.
const BEFORE_CLOSING: Duration = Duration::from_millis(1_500);

/// How long after its last letter the result of a bot is there, as a person's has to be sent first.
const HANDING_IN: Duration = Duration::from_millis(100);

/// When bots look whether they are needed.
fn arrive_at(game: &Game) -> Option<Timestamp> {
    let may_need = game.stage == Stage::Lobby
        && game.door == Door::Open
        && !game.full
        && bots(game).next().is_none();
    may_need.then(|| game.opened_at.max(game.closes_at - BEFORE_CLOSING))
}

async fn arrive(cx: Cx, game: GameId) -> Result<Vec<PlayerJoined>, Error> {
    let settings = cx.state::<BotSettings>();
    let Some(lobby) = cx.live().find(game).await? else { return Ok(Vec::new()) };
    let paces = pace::of_people(&cx, &lobby).await;
    let bots = settings.draw(&paces, &mut rand::rng());
    let (limit, now) = (settings.players, cx.now());
    let sit = |game: &mut Game| sit_down(game, &bots, limit, now);
    let Some(game) = cx.live().advance("seat_bots", game, sit).await? else {
        return Ok(Vec::new());
    };
    cx.arm(&game);
    Ok(bots_of(&game).map(|bot| PlayerJoined { game: game.id, user: bot.id.clone() }).collect())
}

/// Seats bots in an open lobby that waits and has none, until `limit` players sit there.
pub fn sit_down(game: &mut Game, bots: &[User], limit: usize, now: Timestamp) -> Step<()> {
    let may_come =
        game.door == Door::Open && game.has_room(now) && self::bots(game).next().is_none();
    let room = if may_come { limit.saturating_sub(game.players.len()) } else { 0 };
    for bot in &bots[..room.min(bots.len())] {
        game.seat(bot.clone(), None);
        game.log.push(Passage::Came);
    }
    Step::changed_if(room > 0 && !bots.is_empty())
}

/// What a lobby of too few people can expect.
#[derive(Serialize, ToSchema)]
struct Expected {
    /// To how many players bots fill up an open lobby; 0 if none come.
    players: usize,
}

/// Whether bots come into open lobbies.
#[endpoint(tags("lobby"))]
async fn expected(cx: Cx) -> Answer<Expected> {
    let settings = cx.state::<BotSettings>();
    Answer::new(Expected { players: if settings.is_on { settings.players } else { 0 } })
}

fn bots(game: &Game) -> impl Iterator<Item = &Player> {
    game.players.iter().filter(|player| player.user.is_bot())
}

fn bots_of(game: &Game) -> impl Iterator<Item = &User> {
    bots(game).map(|player| &player.user)
}

/// When the next bot comes to the end of the text.
fn finishes_at(game: &Game) -> Option<Timestamp> {
    unfinished(game).map(|(_, at, _)| at).min()
}

/// The bots that still type: when each is done, and how.
fn unfinished(game: &Game) -> impl Iterator<Item = (&User, Timestamp, Plan)> {
    typing(game).map(|(bot, start, plan)| (bot, start + plan.duration() + HANDING_IN, plan))
}

/// The same, with the START of each.
fn typing(game: &Game) -> impl Iterator<Item = (&User, Timestamp, Plan)> {
    let start = game.starts_at.filter(|_| game.stage == Stage::Running);
    let typing = bots(game).filter(|bot| bot.result.is_none());
    typing.filter_map(move |bot| {
        // A server of the version before told each bot its START.
        let start = bot.started.or(start).filter(|_| start.is_some())?;
        Some((&bot.user, start, Plan::of(&bot.user.id, &game.words)))
    })
}

/// Hands in the results of bots that are done.
async fn finish(cx: Cx, id: GameId) -> Result<Vec<PlayerFinished>, Error> {
    let mut finished = Vec::new();
    let Some(game) = cx.live().find(id).await? else { return Ok(finished) };
    let now = cx.now();
    for (bot, _, plan) in unfinished(&game).filter(|(_, at, _)| *at <= now) {
        let claim = Claim { figures: plan.figures(), at: now, unranked: None };
        let hand_in = |game: &mut Game| match game.finish(&bot.id, claim) {
            Ok(Finish::Taken(rank)) => Step::changed(Some(rank)),
            Ok(Finish::Before(_)) | Err(_) => Step::unchanged(None),
        };
        match cx.live().change("finish", id, hand_in).await {
            Ok(taken) => finished.extend(taken.and_then(|(rank, _)| {
                Some(PlayerFinished { game: id, user: bot.id.clone(), rank: rank? })
            })),
            Err(error) if finished.is_empty() => return Err(error),
            // The others finish at the next sweep; those who have are to be told.
            Err(_) => return Ok(finished),
        }
    }
    if let Ok(Some(game)) = cx.live().find(id).await {
        cx.arm(&game);
    }
    Ok(finished)
}
