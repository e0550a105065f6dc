//! The messages of the lobby, as the contract has them.

use salvo::oapi::ToSchema;
use serde::Serialize;

use crate::game::{Game, GameId, UserId};
use crate::socket::Message;

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
#[derive(Serialize, ToSchema)]
pub(super) struct Init {
    pub(super) game_id: GameId,
}

impl Message for Init {
    const EVENT: &'static str = "INIT";
}

/// Where a new guest finds its token.
#[derive(Serialize, ToSchema)]
pub(super) struct GetToken {
    pub(super) game_id: GameId,
    /// For `key` of `/api/v1/auth/guest-token`, once and within a minute.
    pub(super) guest_token_key: String,
}

impl Message for GetToken {
    const EVENT: &'static str = "GET_TOKEN";
}

/// A player came.
#[derive(Serialize, ToSchema)]
pub(super) struct UserJoined {
    pub(super) game_id: GameId,
}

impl Message for UserJoined {
    const EVENT: &'static str = "USER_JOINED";
}

/// A player's place was given up.
#[derive(Serialize, ToSchema)]
pub(super) struct UserLeft {
    pub(super) game_id: GameId,
    pub(super) user_id: UserId,
}

impl Message for UserLeft {
    const EVENT: &'static str = "USER_LEFT";
}

/// The race is prepared: go there.
#[derive(Serialize, ToSchema)]
pub(super) struct GameStart {
    pub(super) game_id: GameId,
}

impl Message for GameStart {
    const EVENT: &'static str = "GAME_START";
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
