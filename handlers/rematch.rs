//! Rematches: the players of a race meet again in a lobby of their own. The first of them waits there, and the others
//! are told on the result's page.

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::{Deserialize, Serialize};

use crate::bus::{Event, Never, Reach};
use crate::game::{GameId, Stage, UserId};
use crate::handlers::shared::common_token;
use crate::http::{Answer, Body, Caller, lenient};
use crate::module::{Cx, Module, Wiring};
use crate::socket::{Message, RACE};
use crate::{Error, Kind};

inventory::submit! { Module { name: "rematch", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module
        .post("/api/v1/lobby/rematch", rematch)
        .fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.emits::<RematchWanted>();
    module.shows(RACE, Rematch::of);
}

/// A player wants to race against the same people again.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
struct RematchWanted {
    game: GameId,
    user: UserId,
}

impl Event for RematchWanted {
    const NAME: &'static str = "rematch.wanted";
    const REACH: Reach = Reach::Game;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// A player of the race waits in the next lobby.
#[derive(Serialize, ToSchema)]
struct Rematch {
    game_id: GameId,
    /// The player waiting in the next lobby.
    user_id: UserId,
}

impl Message for Rematch {
    const EVENT: &'static str = "REMATCH";
}

impl Rematch {
    fn of(wanted: &RematchWanted) -> Self {
        Self { game_id: wanted.game, user_id: wanted.user.clone() }
    }
}

/// The race of a request.
#[derive(Deserialize, ToSchema)]
#[salvo(schema(name = "RaceOfRematch"))]
struct RaceOfRematch {
    /// The game.
    #[serde(deserialize_with = "lenient::integer")]
    game_id: i64,
}

/// The way into the next lobby.
#[derive(Serialize, ToSchema)]
struct Meeting {
    /// `invite_token` of the lobby socket: the same for all players of the race.
    invite_token: String,
}

/// Returns the invitation of a race to one of its players. All players of the race are told that the caller waits in
/// the next lobby.
#[endpoint(tags("lobby"))]
async fn rematch(
    cx: Cx,
    race: Body<RaceOfRematch>,
    caller: Caller,
) -> Result<Answer<Meeting>, Error> {
    let game = cx.live().find(GameId(race.0.game_id)).await?;
    let game = game.filter(|game| game.stage >= Stage::Countdown).ok_or(Kind::GAME_NOT_FOUND)?;
    game.player(&caller.0.id).ok_or(Kind::NOT_A_PARTICIPANT)?;
    cx.publish(RematchWanted { game: game.id, user: caller.0.id }).await;
    Ok(Answer::new(Meeting { invite_token: common_token(&cx, &game) }))
}
