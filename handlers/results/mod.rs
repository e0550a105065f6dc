//! Results: checked against the typing that the pods have seen, accepted once, ranked in the order of finishing, shown to all callers.

pub mod rules;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use salvo::oapi::endpoint;
use salvo::{Request, Writer};

use self::wire::{ClaimedStatistics, Ranking, UserFinished};
use crate::auth::Cookies;
use crate::bus::Heard;
use crate::game::{
    Game, GameId, Player, PlayerFinished, PlayerTyped, Stage, User, UserId, UserType,
};
use crate::handlers::shared::{
    Claim, ClaimMade, FiguresWanted, Finish, OnRecordWanted, Progress, Standing, Typing, judge,
};
use crate::http::{Answer, Body, Caller, Empty, GameQuery};
use crate::module::{Cx, Module, Wiring};
use crate::socket::RACE;
use crate::{Error, Kind};

inventory::submit! { Module { name: "results", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.post("/api/v1/game/statistics", statistics).fails(&[
        // An exception of the contract, as in `statistics`.
        Kind { status: 400, ..Kind::GAME_NOT_FOUND },
        Kind::NOT_A_PARTICIPANT,
        Kind::GAME_NOT_STARTED,
    ]);
    module.get("/api/v1/game/result", result).fails(&[Kind::GAME_NOT_FOUND]);
    module.hears(keep_typed);
    module.emits::<PlayerFinished>();
    module.shows(RACE, UserFinished::of);
}

/// How long a claim waits for the last keystrokes: they travel on another connection, perhaps to another pod.
const KEYS_LATE: Duration = Duration::from_secs(2);
/// Interval of checks for them.
const LOOK: Duration = Duration::from_millis(200);
/// Interval of checks whether a claim that waits for its turn still has to.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Stores a player's progress in the facts, in the middle of the text and at its end.
async fn keep_typed(cx: Cx, typed: Heard<PlayerTyped>) -> Result<(), Error> {
    let room = cx.rooms().get(RACE, typed.game);
    if let Some(typing) = room.and_then(|room| room.own::<Typing>(&typed.user)) {
        let (here, game, user) = (cx.clone(), typed.game, typed.user.clone());
        if typing.is_over() {
            // A claim waits for it.
            cx.spawn_background(async move { typing.keep_at_last(&here, game, &user).await });
        } else {
            cx.spawn_in_turn(async move || {
                if typing.save_progress(here.live(), game, &user).await.is_err() {
                    let its = here.clone();
                    here.spawn_background(
                        async move { typing.keep_at_last(&its, game, &user).await },
                    );
                }
            });
        }
    }
    Ok(())
}

/// Accepts the caller's result, once. Idempotent: sent again, it changes nothing and succeeds.
#[endpoint(tags("game"))]
async fn statistics(
    cx: Cx,
    claim: Body<ClaimedStatistics>,
    caller: Caller,
) -> Result<Answer<Empty>, Error> {
    let claim = claim.0;
    rules::check_values(&claim.figures())?;
    accept(&cx, caller.0, claim).await.map_err(|error| {
        // An exception of the contract: on this route a missing game is a bad request.
        if error.kind() == Kind::GAME_NOT_FOUND { error.with_status(400) } else { error }
    })?;
    Ok(Answer::ok())
}

async fn accept(cx: &Cx, user: User, claim: ClaimedStatistics) -> Result<(), Error> {
    let (id, figures, correct_words) =
        (GameId(claim.game_id), claim.figures(), claim.correct_words);
    let game = cx.live().find(id).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    let made = ClaimMade { game: game.clone(), user: user.id.clone(), figures, correct_words };
    if cx.ask(made).await?.is_some() {
        return Ok(());
    }
    let is_checked = cx.settings().game.check_results && is_open(&game, &user.id);
    let claim = if is_checked {
        let game = with_all_keys(cx, game, &user.id).await?;
        let wanted = FiguresWanted { game: game.clone(), user: user.id.clone() };
        // A module that fails is reported, and must not refuse a finish.
        let known = cx.ask(wanted).await.ok().flatten();
        let at = rules::finished_at(&game, &user.id, cx.now());
        judge(&game, &user.id, known.unwrap_or(figures), at)
    } else {
        Claim { figures, at: cx.now(), unranked: None }
    };
    // A decided rank must be announced even if the client no longer waits for the answer.
    let here = cx.clone();
    cx.run_to_completion(async move {
        if is_checked {
            wait_for_turn(&here, id, &user.id).await?;
        }
        finish(&here, id, user, claim).await
    })
    .await
}

/// Waits while another player may have finished earlier, whose keys or claim are on their way: ranks do not depend on latency.
async fn wait_for_turn(cx: &Cx, id: GameId, user: &UserId) -> Result<(), Error> {
    loop {
        let Some(game) = cx.live().find(id).await? else { return Ok(()) };
        let turn = rules::turn_at(&game, user).map(|at| at.after(cx.now()));
        match turn.filter(|left| !left.is_zero()) {
            Some(left) => tokio::time::sleep(left.min(LOOK_AGAIN)).await,
            None => return Ok(()),
        }
    }
}

async fn finish(cx: &Cx, id: GameId, user: User, claim: Claim) -> Result<(), Error> {
    let hand_in = |game: &mut Game| rules::hand_in(game, &user.id, claim);
    let handed_in = cx.live().change("finish", id, hand_in).await?;
    let (finish, _) = handed_in.ok_or(Kind::GAME_NOT_FOUND)?;
    match finish? {
        Finish::Taken(rank) => cx.publish(PlayerFinished { game: id, user: user.id, rank }).await,
        Finish::Before(_) => {}
    }
    Ok(())
}

/// Whether a result of the player can be accepted.
fn is_open(game: &Game, user: &UserId) -> bool {
    let is_racing = game.player(user).is_some_and(|player| player.result.is_none());
    game.stage == Stage::Running && is_racing
}

/// The facts once the player has reached the end of the text, or as they are after [`KEYS_LATE`].
async fn with_all_keys(cx: &Cx, mut game: Arc<Game>, user: &UserId) -> Result<Arc<Game>, Error> {
    let late = cx.now() + KEYS_LATE;
    loop {
        let room = cx.rooms().get(RACE, game.id);
        if let Some(typing) = room.and_then(|room| room.own::<Typing>(user)) {
            typing.save_progress(cx.live(), game.id, user).await?;
        }
        game = cx.live().find(game.id).await?.ok_or(Kind::GAME_NOT_FOUND)?;
        let is_complete = game
            .player(user)
            .is_some_and(|it| it.part::<Progress>().completed.is_some() || !it.is_followed());
        if is_complete || !is_open(&game, user) || cx.now() >= late {
            return Ok(game);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// All players of the race: people by rank, then bots, then unranked results, then players without a result. For
/// callers without a seat in the race, registered players have ids that are valid for this race only.
#[endpoint(tags("game"))]
async fn result(cx: Cx, game: GameQuery, req: &mut Request) -> Result<Answer<Ranking>, Error> {
    let game = cx.live().find(game.0).await?.filter(|game| game.stage >= Stage::Countdown);
    let game = game.ok_or(Kind::GAME_NOT_FOUND)?;
    // An expired token is accepted: its player knows the ids from the race.
    let caller = cx.former_bearer(Cookies::of(req).access_token());
    let is_stranger = caller.is_none_or(|caller| game.player(&caller.user.id).is_none());
    let graded = game.people().filter(|player| player.result.is_some());
    let results: Vec<_> = graded.map(|player| (game.id, player.user.id.clone())).collect();
    let on_record = OnRecordWanted { results: results.clone() }.ask(&cx).await;
    let shown = |player: &Player| {
        let place = results.iter().position(|(_, user)| *user == player.user.id);
        let standing = Standing::of(player).graded(place.and_then(|place| on_record[place].grade));
        match player.user.user_type {
            UserType::Registered if is_stranger => standing.called(opaque_id(&cx, &game, player)),
            _ => standing,
        }
    };
    let ranking = rules::ranking(&game.players).into_iter().map(shown).collect();
    Ok(Answer::new(Ranking { ranking }))
}

/// An id of a registered player for this race only. The account's id would reveal its provider, and connect the races
/// of one player.
fn opaque_id(cx: &Cx, game: &Game, player: &Player) -> String {
    let user = &player.user.id;
    format!("player-{}", cx.secret_of(&format!("{user} as strangers see it in {}", game.id)))
}
