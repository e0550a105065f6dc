//! The messages of the lobby, as the contract defines them.

use salvo::oapi::ToSchema;
use serde::Serialize;

use crate::game::{Game, GameId, Player, UserId};
use crate::handlers::shared::Wishes;
use crate::socket::Message;

/// Frames that well-behaved clients may send here, and that are ignored.
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

/// Tells a socket the game in which its player has a seat.
#[derive(Serialize, ToSchema)]
pub(super) struct Init {
    pub(super) game_id: GameId,
}

impl Message for Init {
    const EVENT: &'static str = "INIT";
}

/// Tells a new guest the key of its token.
#[derive(Serialize, ToSchema)]
pub(super) struct GetToken {
    pub(super) game_id: GameId,
    /// The `key` for `/api/v1/auth/guest-token`: valid once, for a minute.
    pub(super) guest_token_key: String,
}

impl Message for GetToken {
    const EVENT: &'static str = "GET_TOKEN";
}

/// A player has joined the lobby.
#[derive(Serialize, ToSchema)]
pub(super) struct UserJoined {
    pub(super) game_id: GameId,
}

impl Message for UserJoined {
    const EVENT: &'static str = "USER_JOINED";
}

/// A player has lost the seat in the lobby.
#[derive(Serialize, ToSchema)]
pub(super) struct UserLeft {
    pub(super) game_id: GameId,
    pub(super) user_id: UserId,
}

impl Message for UserLeft {
    const EVENT: &'static str = "USER_LEFT";
}

/// The race is prepared: open the race socket.
#[derive(Serialize, ToSchema)]
pub(super) struct GameStart {
    pub(super) game_id: GameId,
}

impl Message for GameStart {
    const EVENT: &'static str = "GAME_START";
}

/// The time until the lobby closes.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "LobbyCountdown"))]
pub(super) struct LobbyCountdown {
    /// Never negative.
    pub(super) seconds_left: f64,
}

/// A player in the lobby.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "LobbyPlayer"))]
pub(super) struct LobbyPlayer {
    id: String,
    name: String,
    /// Present, and true, for bots and ghosts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<bool>,
    /// Present, and true, for ghosts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    ghost: Option<bool>,
    /// Present, and true, for ready players only.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<bool>,
}

/// The players in the lobby.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "LobbyPlayers"))]
pub(super) struct LobbyPlayers {
    /// The caller.
    me: LobbyPlayer,
    /// The others, in order of arrival.
    others: Vec<LobbyPlayer>,
}

impl LobbyPlayers {
    /// `None` if the user has no seat.
    pub(super) fn seen_by(game: &Game, user: &UserId) -> Option<Self> {
        let wishes = game.part::<Wishes>();
        let row = |player: &Player| LobbyPlayer {
            id: player.user.id.to_string(),
            name: player.user.name.clone(),
            bot: (!player.user.is_person()).then_some(true),
            ghost: player.user.is_ghost().then_some(true),
            ready: wishes.ready.contains(&player.user.id).then_some(true),
        };
        let me = row(game.player(user)?);
        let others = game.players.iter().filter(|it| it.user.id != *user).map(row).collect();
        Some(Self { me, others })
    }
}
