//! The messages of the race, as the contract has them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::game::{Door, Game, GameId, PlayerMoved, UserId};
use crate::http::{Standing, lenient};

/// Frames that clients may send here, and that mean nothing.
pub(super) const IGNORED: &[&str] = &["PING", "PONG", "START", "RESUME", "RECONNECT"];

/// A client's own position. What else it says of itself is not believed.
#[derive(Deserialize)]
pub(super) struct KeyStoke {
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) word_index: i64,
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) char_index: i64,
}

/// Another player's position (the event's name is the contract's).
#[derive(Serialize)]
pub(super) struct Moved<'a> {
    event: &'static str,
    game_id: GameId,
    user_id: &'a UserId,
    word_index: u32,
    char_index: i32,
}

impl<'a> Moved<'a> {
    pub(super) fn of(moved: &'a PlayerMoved) -> Self {
        let PlayerMoved { game, user, word_index, char_index } = moved;
        Self {
            event: "KEY_STOKE",
            game_id: *game,
            user_id: user,
            word_index: *word_index,
            char_index: *char_index,
        }
    }
}

/// The race is on.
#[derive(Serialize)]
pub(super) struct Start {
    event: &'static str,
    game_id: GameId,
}

impl Start {
    pub(super) fn of(game_id: GameId) -> Self {
        Self { event: "START", game_id }
    }
}

/// The race has been on for the player before this socket.
#[derive(Serialize)]
pub(super) struct Resume {
    event: &'static str,
    game_id: GameId,
    /// Since START was told to the player.
    seconds: f64,
}

impl Resume {
    pub(super) fn of(game_id: GameId, since: Duration) -> Self {
        Self { event: "RESUME", game_id, seconds: since.as_secs_f64() }
    }
}

/// How long it still takes.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "RaceCountdown"))]
pub(super) struct Countdown {
    /// 0 once the race is on.
    pub(super) seconds_left: f64,
}

/// What is to be typed.
#[derive(Serialize, ToSchema)]
pub(super) struct Words {
    /// Joined by single blanks.
    pub(super) words: String,
}

/// Who races.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "RacePlayers"))]
pub(super) struct Players {
    /// Who asks.
    me: Standing,
    /// The others, by user id.
    others: BTreeMap<String, Standing>,
}

impl Players {
    /// `None` if the user has no seat.
    pub(super) fn seen_by(game: &Game, user: &UserId) -> Option<Self> {
        let me = Standing::of(game.player(user)?);
        let others = game.players.iter().filter(|player| player.user.id != *user);
        let others = others.map(|it| (it.user.id.to_string(), Standing::of(it))).collect();
        Some(Self { me, others })
    }
}

/// The way back into a race.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "CurrentRace"))]
pub(super) struct Current {
    /// The race; null if there is none to go back to.
    game: Option<OwnRace>,
}

/// A race that its player has not finished.
#[derive(Serialize, ToSchema)]
struct OwnRace {
    /// Which.
    game_id: i64,
    /// `open`, `single` or `invited`, by its lobby.
    kind: &'static str,
}

impl Current {
    pub(super) fn of(played: &[Arc<Game>], user: &UserId) -> Self {
        let own = |game: &Game| OwnRace {
            game_id: game.id.0,
            kind: match game.door {
                Door::Open => "open",
                Door::Alone => "single",
                Door::Invited(_) => "invited",
            },
        };
        Self { game: rules::current(played, user).map(own) }
    }
}

/// The game is gone: its time is over, or it was lost.
#[derive(Serialize)]
pub(super) struct GameEnd {
    event: &'static str,
    game_id: GameId,
}

impl GameEnd {
    pub(super) fn of(game_id: GameId) -> Self {
        Self { event: "GAME_END", game_id }
    }
}
