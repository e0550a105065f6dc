//! Pace-makers, so that nobody waits alone: shortly before a lobby of too few people closes, bots sit down
//! in it. They type with a rhythm of their own, make mistakes, and say by their names what they are.
//!
//! All that a bot does follows from its id and the text (`plan.rs`). So nothing of it is kept but its seat,
//! and its result comes from whichever server is there when the time has come. Its cursor is moved by one
//! server: the one that told it START.

mod plan;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::plan::Plan;
use self::settings::BotSettings;
use crate::Error;
use crate::bus::Heard;
use crate::game::{
    Game, GameId, Player, PlayerFinished, PlayerJoined, PlayerMoved, RaceStarted, Stage, Timestamp,
    User,
};
use crate::live::{Claim, Finish};
use crate::module::{Cx, Module, Wiring};
use crate::socket::RACE;

inventory::submit! { Module { name: "bots", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(BotSettings::load);
    module.optional_timer("bots.arrival", BotSettings::are_on, arrive_at, arrive);
    module.optional_timer("bots.finish", BotSettings::are_on, finishes_at, finish);
    module.hears(race);
    module.emits::<PlayerMoved>();
}

/// How long before the end of the lobby they come: people are to see them, and to come first.
const BEFORE_CLOSING: Duration = Duration::from_millis(1_500);

/// How long after its last letter the result of a bot is there, as a person's has to be sent first.
const HANDING_IN: Duration = Duration::from_millis(100);

/// When bots look whether they are needed.
fn arrive_at(game: &Game) -> Option<Timestamp> {
    let may_need = game.stage == Stage::Lobby
        && game.door == crate::game::Door::Open
        && !game.full
        && bots(game).next().is_none();
    may_need.then(|| game.opened_at.max(game.closes_at - BEFORE_CLOSING))
}

async fn arrive(cx: Cx, game: GameId) -> Result<Vec<PlayerJoined>, Error> {
    let settings = cx.state::<BotSettings>();
    let bots = settings.draw(&mut rand::rng());
    let Some(game) = cx.live().seat_bots(game, bots, settings.players, cx.now()).await? else {
        return Ok(Vec::new());
    };
    cx.arm(&game);
    Ok(bots_of(&game).map(|bot| PlayerJoined { game: game.id, user: bot.id.clone() }).collect())
}

fn bots(game: &Game) -> impl Iterator<Item = &Player> {
    game.players.iter().filter(|player| player.user.is_bot())
}

fn bots_of(game: &Game) -> impl Iterator<Item = &User> {
    bots(game).map(|player| &player.user)
}

/// START: whoever tells a bot moves its cursor. Of several servers it is one with sockets of the race: the
/// others do not know whom to tell.
async fn race(cx: Cx, started: Heard<RaceStarted>) -> Result<(), Error> {
    if !cx.state::<BotSettings>().is_on {
        return Ok(());
    }
    if !cx.is_alone() && cx.rooms().get(RACE, started.game).is_none() {
        return Ok(());
    }
    let Some(game) = cx.live().find(started.game).await? else { return Ok(()) };
    for bot in bots_of(&game) {
        let at = cx.now();
        if cx.live().claim_start(game.id, &bot.id, at).await? {
            let plan = Plan::of(&bot.id, &game.words);
            let (cx, id, bot) = (cx.clone(), game.id, bot.clone());
            let left = game.ends_at.after(at);
            cx.clone().beside(async move {
                let typing = type_along(&cx, id, &bot, &plan, at);
                // A slow bot and a long text: it does not outlive its game.
                let _ = tokio::time::timeout(left, typing).await;
            });
        }
    }
    Ok(())
}

/// Moves the cursor of a bot from START to its end.
async fn type_along(cx: &Cx, game: GameId, bot: &User, plan: &Plan, start: Timestamp) {
    for stroke in plan.strokes() {
        tokio::time::sleep((start + stroke.after).after(cx.now())).await;
        let (word_index, char_index) = (stroke.word_index, stroke.char_index);
        cx.publish(PlayerMoved { game, user: bot.id.clone(), word_index, char_index }).await;
    }
}

/// When the next bot comes to the end of the text.
fn finishes_at(game: &Game) -> Option<Timestamp> {
    unfinished(game).map(|(_, at, _)| at).min()
}

/// The bots that still type: when each is done, and how.
fn unfinished(game: &Game) -> impl Iterator<Item = (&User, Timestamp, Plan)> {
    let start = game.starts_at.filter(|_| game.stage == Stage::Running);
    let typing = bots(game).filter(|bot| bot.result.is_none());
    typing.filter_map(move |bot| {
        let plan = Plan::of(&bot.user.id, &game.words);
        let at = bot.started.or(start)? + plan.duration() + HANDING_IN;
        start.map(|_| (&bot.user, at, plan))
    })
}

/// Hands in the results of bots that are done.
async fn finish(cx: Cx, id: GameId) -> Result<Vec<PlayerFinished>, Error> {
    let mut finished = Vec::new();
    let Some(game) = cx.live().find(id).await? else { return Ok(finished) };
    let now = cx.now();
    for (bot, _, plan) in unfinished(&game).filter(|(_, at, _)| *at <= now) {
        let claim = Claim { figures: plan.figures(), at: now, unranked: None };
        match cx.live().finish(id, &bot.id, claim).await {
            Ok(Finish::Taken(rank)) => {
                finished.push(PlayerFinished { game: id, user: bot.id.clone(), rank });
            }
            Ok(Finish::Before(_)) => {}
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
