//! Results: taken once, ranked by their arrival, shown to everybody.

mod rules;
#[cfg(test)]
mod tests;
mod wire;

use salvo::Writer;
use salvo::oapi::endpoint;

use self::wire::{Ranking, Statistics, UserFinished};
use crate::game::{Game, GameId, PlayerFinished, PlayerMoved, Stage, User};
use crate::http::{Answer, Body, Caller, Empty, GameQuery, Standing};
use crate::live::{Claim, Finish};
use crate::module::{Cx, Module, Wiring};
use crate::socket::{Frame, RACE};
use crate::{Error, Kind};

inventory::submit! { Module { name: "results", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.post("/api/v1/game/statistics", statistics).fails(&[
        // The contract's exception, as in `statistics`.
        Kind { status: 400, ..Kind::GAME_NOT_FOUND },
        Kind::NOT_A_PARTICIPANT,
        Kind::GAME_NOT_STARTED,
    ]);
    module.get("/api/v1/game/result", result).fails(&[Kind::GAME_NOT_FOUND]);
    module.emits::<PlayerFinished>();
    module.shows::<PlayerFinished>(RACE, |finished| Frame::json(&UserFinished::of(finished)));
}

/// Takes the caller's result, once: sent again, it changes nothing and succeeds.
#[endpoint(tags("game"))]
async fn statistics(
    cx: Cx,
    claim: Body<Statistics>,
    caller: Caller,
) -> Result<Answer<Empty>, Error> {
    let (game, figures) = (GameId(claim.0.game_id), claim.0.figures());
    rules::check_values(&figures)?;
    let claim = Claim { figures, at: cx.now() };
    // Once a rank is decided it is announced, whether or not the client still waits for the answer.
    cx.clone().carry(async move { finish(&cx, game, caller.0, claim).await }).await.map_err(
        |error| {
            // The contract's exception: here a game that is not there is a bad request.
            if error.kind() == Kind::GAME_NOT_FOUND { error.with_status(400) } else { error }
        },
    )?;
    Ok(Answer::ok())
}

async fn finish(cx: &Cx, id: GameId, user: User, claim: Claim) -> Result<(), Error> {
    let game = cx.live().find(id).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    let is_open =
        game.stage == Stage::Running && game.player(&user.id).is_some_and(|it| it.result.is_none());
    if is_open && cx.settings().game.check_results {
        check_speed(cx, &game, &user, &claim)?;
    }
    match cx.live().finish(id, &user.id, claim).await? {
        Finish::Taken(rank) => cx.publish(PlayerFinished { game: id, user: user.id, rank }).await,
        Finish::Before(_) => {}
    }
    Ok(())
}

fn check_speed(cx: &Cx, game: &Game, user: &User, claim: &Claim) -> Result<(), Error> {
    // Where the player's sockets are is known more exactly when START went out, and the last key came.
    let room = cx.rooms().get(RACE, game.id);
    let said = room.as_ref().and_then(|room| room.said_at(&user.id));
    let last_key = room.as_ref().and_then(|room| room.latest::<PlayerMoved>(&user.id));
    rules::check_speed(game, &user.id, claim, said, last_key)
}

/// Everybody who raced: people by rank, then bots, and last those who have not finished.
#[endpoint(tags("game"))]
async fn result(cx: Cx, game: GameQuery) -> Result<Answer<Ranking>, Error> {
    let game = cx.live().find(game.0).await?.filter(|game| game.stage >= Stage::Countdown);
    let game = game.ok_or(Kind::GAME_NOT_FOUND)?;
    let ranking = rules::ranking(&game.players).into_iter().map(Standing::of).collect();
    Ok(Answer::new(Ranking { ranking }))
}
