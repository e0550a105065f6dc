//! The messages of the race, as the contract has them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::game::{Door, Game, GameId, PlayerMoved, UserId};
use crate::http::{Standing, lenient};
use crate::socket::Message;

/// Frames that clients may send here, and that mean nothing.
pub(super) const IGNORED: &[&str] = &["PING", "PONG", "START", "RESUME", "RECONNECT"];

/// A client's own position. What else it says of itself is not believed.
#[derive(Deserialize, ToSchema)]
pub(super) struct KeyStoke {
    /// Which word, from 0.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) word_index: i64,
    /// How many characters of it, less one: -1 stands before the first.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) char_index: i64,
}

impl Message for KeyStoke {
    const EVENT: &'static str = "KEY_STOKE";
}

/// Another player's position (the event's name is the contract's).
#[derive(Serialize, ToSchema)]
pub(super) struct Moved {
    game_id: GameId,
    user_id: UserId,
    /// Which word, from 0.
    word_index: u32,
    /// How many characters of it, less one: -1 stands before the first.
    char_index: i32,
}

impl Message for Moved {
    const EVENT: &'static str = "KEY_STOKE";
}

impl Moved {
    pub(super) fn of(moved: &PlayerMoved) -> Self {
        let PlayerMoved { game, user, word_index, char_index } = moved;
        Self {
            game_id: *game,
            user_id: user.clone(),
            word_index: *word_index,
            char_index: *char_index,
        }
    }
}

/// The race is on.
#[derive(Serialize, ToSchema)]
pub(super) struct Start {
    pub(super) game_id: GameId,
}

impl Message for Start {
    const EVENT: &'static str = "START";
}

/// The race has been on for the player before this socket.
#[derive(Serialize, ToSchema)]
pub(super) struct Resume {
    game_id: GameId,
    /// Since START was told to the player.
    #[salvo(schema(minimum = 0))]
    seconds: f64,
}

impl Message for Resume {
    const EVENT: &'static str = "RESUME";
}

impl Resume {
    pub(super) fn of(game_id: GameId, since: Duration) -> Self {
        Self { game_id, seconds: since.as_secs_f64() }
    }
}

/// The game is gone: its time is over, or it was lost.
#[derive(Serialize, ToSchema)]
pub(super) struct GameEnd {
    pub(super) game_id: GameId,
}

impl Message for GameEnd {
    const EVENT: &'static str = "GAME_END";
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
