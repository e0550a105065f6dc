//! The messages of the lobby, as the contract has them.

use salvo::oapi::ToSchema;
use serde::Serialize;

use crate::game::{Game, GameId, UserId};

/// Frames that well-behaved clients may send here, and that mean nothing.
pub(super) const IGNORED: &[&str] = &[
    "INIT",
    "GET_TOKEN",
    "USER_JOINED",
    "USER_LEFT",
    "GAME_START",
    "START",
    "KEY_STOKE",
    "PING",
    "PONG",
    "RECONNECT",
];

/// The game that a socket got a seat in.
#[derive(Serialize)]
pub(super) struct Init {
    event: &'static str,
    game_id: GameId,
}

impl Init {
    pub(super) fn of(game_id: GameId) -> Self {
        Self { event: "INIT", game_id }
    }
}

/// Where a new guest finds its token.
#[derive(Serialize)]
pub(super) struct GetToken {
    event: &'static str,
    game_id: GameId,
    guest_token_key: String,
}

impl GetToken {
    pub(super) fn of(game_id: GameId, guest_token_key: String) -> Self {
        Self { event: "GET_TOKEN", game_id, guest_token_key }
    }
}

/// Somebody came.
#[derive(Serialize)]
pub(super) struct UserJoined {
    event: &'static str,
    game_id: GameId,
}

impl UserJoined {
    pub(super) fn of(game_id: GameId) -> Self {
        Self { event: "USER_JOINED", game_id }
    }
}

/// Somebody's place was given up.
#[derive(Serialize)]
pub(super) struct UserLeft<'a> {
    event: &'static str,
    game_id: GameId,
    user_id: &'a UserId,
}

impl<'a> UserLeft<'a> {
    pub(super) fn of(game_id: GameId, user_id: &'a UserId) -> Self {
        Self { event: "USER_LEFT", game_id, user_id }
    }
}

/// The race is prepared: go there.
#[derive(Serialize)]
pub(super) struct GameStart {
    event: &'static str,
    game_id: GameId,
}

impl GameStart {
    pub(super) fn of(game_id: GameId) -> Self {
        Self { event: "GAME_START", game_id }
    }
}

/// How long it still takes.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "LobbyCountdown"))]
pub(super) struct Countdown {
    /// Never negative.
    pub(super) seconds_left: f64,
}

/// Somebody in the lobby.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "LobbyPlayer"))]
pub(super) struct LobbyPlayer {
    id: String,
    name: String,
    /// There and true, if it is a pace-maker of the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<bool>,
    /// There and true, if the player is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<bool>,
}

/// Who is in the lobby.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "LobbyPlayers"))]
pub(super) struct Players {
    /// Who asks.
    me: LobbyPlayer,
    /// The others, in order of arrival.
    others: Vec<LobbyPlayer>,
}

impl Players {
    /// `None` if the user has no seat.
    pub(super) fn seen_by(game: &Game, user: &UserId) -> Option<Self> {
        let row = |player: &crate::game::Player| LobbyPlayer {
            id: player.user.id.to_string(),
            name: player.user.name.clone(),
            bot: player.user.is_bot().then_some(true),
            ready: game.wishes.ready.contains(&player.user.id).then_some(true),
        };
        let me = row(game.player(user)?);
        let others = game.players.iter().filter(|it| it.user.id != *user).map(row).collect();
        Some(Self { me, others })
    }
}
