//! Bots, so that no player has to race alone: shortly before an open lobby with too few people closes, bots take seats
//! in it. They type in a rhythm of their own, make mistakes, and have names that mark them as bots.
//!
//! All that a bot does follows from its id, the text and START (`plan.rs`). So only its seat is stored, any pod can
//! hand in its result when it is due, and each pod moves its cursor for the pod's own sockets (`cursor.rs`). A
//! restarted pod continues where the bot is by then.

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

use self::plan::Plan;
use self::settings::BotSettings;
use crate::Error;
use crate::game::{Game, GameId, Player, PlayerFinished, PlayerJoined, Stage, Timestamp, User};
use crate::handlers::shared::{BotMoved, Claim, CorrectWords, Finish, Moving, Passage};
use crate::http::Answer;
use crate::live::Step;
use crate::module::{Cx, Module, Need, Wiring};
use crate::socket::RACE;

inventory::submit! { Module { name: "bots", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.needs(Need::Records);
    module.state(BotSettings::load);
    module.optional_timer("bots.arrival", BotSettings::are_on, arrive_at, arrive);
    module.optional_timer("bots.finish", BotSettings::are_on, finishes_at, finish);
    module.state(|_| Ok(Moving::default()));
    module.hears(cursor::begin);
    module.hears(cursor::go_on);
    // A lost event of this kind costs cursors until the next one.
    module.listens(cursor::go_on_for_watchers, |_| async { Ok(()) });
    module.emits::<BotMoved>();
    module.shows(RACE, BotMoved::shown);
    module.get("/api/v1/lobby/bots", expected);
}

/// Time between their arrival and the end of the lobby: late enough for people to come first, and early enough to be
/// seen.
const BEFORE_CLOSING: Duration = Duration::from_millis(1_500);

/// Time from a bot's last letter to its result: a person's result has to travel first.
const HANDING_IN: Duration = Duration::from_millis(100);

/// When to check whether a lobby needs bots.
fn arrive_at(game: &Game) -> Option<Timestamp> {
    let may_need = game.stage == Stage::Lobby
        && game.door.is_public()
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

/// Seats bots in a waiting open lobby that has none, up to `limit` players.
pub fn sit_down(game: &mut Game, bots: &[User], limit: usize, now: Timestamp) -> Step<()> {
    let may_come = game.door.is_public() && game.has_room(now) && self::bots(game).next().is_none();
    let room = if may_come { limit.saturating_sub(game.players.len()) } else { 0 };
    for bot in &bots[..room.min(bots.len())] {
        game.seat(bot.clone(), None);
        game.log(Passage::Came);
    }
    Step::changed_if(room > 0 && !bots.is_empty())
}

/// The bots that an open lobby with too few people gets.
#[derive(Serialize, ToSchema)]
struct ExpectedBots {
    /// Number of players up to which bots fill an open lobby; 0 if there are no bots.
    players: usize,
}

/// Whether bots join open lobbies, and how many.
#[endpoint(tags("lobby"))]
async fn expected(cx: Cx) -> Answer<ExpectedBots> {
    let settings = cx.state::<BotSettings>();
    Answer::new(ExpectedBots { players: if settings.is_on { settings.players } else { 0 } })
}

fn bots(game: &Game) -> impl Iterator<Item = &Player> {
    game.players.iter().filter(|player| player.user.is_bot())
}

fn bots_of(game: &Game) -> impl Iterator<Item = &User> {
    bots(game).map(|player| &player.user)
}

/// When the result of the next bot is due.
fn finishes_at(game: &Game) -> Option<Timestamp> {
    unfinished(game).map(|(_, at, _)| at).min()
}

/// The bots without a result: when that of each is due, and its plan.
fn unfinished(game: &Game) -> impl Iterator<Item = (&User, Timestamp, Plan)> {
    let limit = game.time_limit().unwrap_or(Duration::MAX);
    typing(game)
        .map(move |(bot, start, plan)| (bot, start + plan.duration().min(limit) + HANDING_IN, plan))
}

/// The bots without a result, with the START and the plan of each.
fn typing(game: &Game) -> impl Iterator<Item = (&User, Timestamp, Plan)> {
    let start = game.starts_at.filter(|_| game.stage == Stage::Running);
    let typing = bots(game).filter(|bot| bot.result.is_none());
    typing.filter_map(move |bot| {
        // A pod of the previous version stored the START of each bot.
        let start = bot.started().or(start).filter(|_| start.is_some())?;
        Some((&bot.user, start, Plan::of(&bot.user.id, &game.words())))
    })
}

/// Hands in the results that are due.
async fn finish(cx: Cx, id: GameId) -> Result<Vec<PlayerFinished>, Error> {
    let mut finished = Vec::new();
    let Some(game) = cx.live().find(id).await? else { return Ok(finished) };
    let now = cx.now();
    for (bot, _, plan) in unfinished(&game).filter(|(_, at, _)| *at <= now) {
        let claim = Claim { figures: plan.figures(), at: now, unranked: None };
        let words = game.time_limit().map(|limit| plan.words_after(limit));
        let hand_in = |game: &mut Game| match game.finish(&bot.id, claim) {
            Ok(Finish::Taken(rank)) => {
                let player = game.player_mut(&bot.id).filter(|_| words.is_some());
                player.into_iter().for_each(|it| it.put(CorrectWords(words)));
                Step::changed(Some(rank))
            }
            Ok(Finish::Before(_)) | Err(_) => Step::unchanged(None),
        };
        match cx.live().change("finish", id, hand_in).await {
            Ok(taken) => finished.extend(taken.and_then(|(rank, _)| {
                Some(PlayerFinished { game: id, user: bot.id.clone(), rank: rank? })
            })),
            Err(error) if finished.is_empty() => return Err(error),
            // The other bots finish at the next sweep; these results must be announced now.
            Err(_) => return Ok(finished),
        }
    }
    if let Ok(Some(game)) = cx.live().find(id).await {
        cx.arm(&game);
    }
    Ok(finished)
}
