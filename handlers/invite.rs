//! Friends: a lobby that only those find who have its link, and that closes when its host says so.
//!
//! An invitation is a token and nothing else: whoever comes first with it opens a lobby, and others with
//! it find that lobby. So a link stays good: after the race, and for a friend who comes too late, it leads
//! to the next one.

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::{Deserialize, Serialize};

use crate::game::{Door, Game, GameId};
use crate::http::{Answer, Body, Caller, Empty, GameQuery, lenient};
use crate::module::{Cx, Module, Wiring};
use crate::{Error, Kind};

inventory::submit! { Module { name: "invite", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.post("/api/v1/lobby/invite", invite);
    module
        .get("/api/v1/lobby/invite", invitation)
        .fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.post("/api/v1/lobby/start", start).fails(&[
        Kind::GAME_NOT_FOUND,
        Kind::NOT_A_PARTICIPANT,
        Kind::NOT_THE_HOST,
    ]);
}

/// A token of an invitation.
#[derive(Serialize, ToSchema)]
struct Invite {
    /// For `invite_token` of the lobby's socket, as often as friends want to race.
    invite_token: String,
}

/// Makes an invitation. Nothing is kept of it until somebody comes.
#[endpoint(tags("lobby"))]
async fn invite() -> Answer<Invite> {
    // 80 bits: nobody guesses who plays with whom.
    let [_, token @ ..] = rand::random::<[u8; 11]>();
    Answer::new(Invite { invite_token: token.iter().map(|byte| format!("{byte:02x}")).collect() })
}

/// How the players of a game meet again.
#[derive(Serialize, ToSchema)]
struct Invitation {
    /// The token that the game was found by; of any other game, one that its players are all given.
    invite_token: String,
    /// Whether the game was found by it.
    is_private: bool,
    /// Who may have the lobby closed, as long as a private one waits.
    host: Option<String>,
    /// Players at whom a lobby is full.
    player_limit: usize,
}

/// The invitation of a game, for those who sit in it.
#[endpoint(tags("lobby"))]
async fn invitation(cx: Cx, game: GameQuery, caller: Caller) -> Result<Answer<Invitation>, Error> {
    let game = cx.live().find(game.0).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    game.player(&caller.0.id).ok_or(Kind::NOT_A_PARTICIPANT)?;
    Ok(Answer::new(Invitation {
        invite_token: token_of(&cx, &game),
        is_private: matches!(game.door, Door::Invited(_)),
        host: game.host().map(ToString::to_string),
        player_limit: cx.settings().game.player_limit,
    }))
}

fn token_of(cx: &Cx, game: &Game) -> String {
    match &game.door {
        Door::Invited(token) => token.to_string(),
        Door::Open | Door::Alone => cx.keys().secret_of(&format!("those who met in {}", game.id)),
    }
}

/// Which lobby is to close.
#[derive(Deserialize, ToSchema)]
struct Started {
    /// The game.
    #[serde(deserialize_with = "lenient::integer")]
    game_id: i64,
}

/// The host has the lobby close now.
#[endpoint(tags("lobby"))]
async fn start(cx: Cx, lobby: Body<Started>, caller: Caller) -> Result<Answer<Empty>, Error> {
    let (its, game, host) = (cx.clone(), GameId(lobby.0.game_id), caller.0.id);
    cx.carry(async move {
        let hastened = its.live().hasten(game, &host, its.now()).await?;
        its.arm(&hastened);
        Ok(Answer::ok())
    })
    .await
}
