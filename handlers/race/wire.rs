//! The messages of the race, as the contract defines them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::game::{Door, Game, GameId, PlayerMoved, UserId};
use crate::handlers::shared::{Edit, Standing, TextAbout, TimeLimit};
use crate::http::lenient;
use crate::socket::Message;

/// Frames that clients may send here, and that are ignored.
pub(super) const IGNORED: &[&str] = &["PING", "PONG", "START", "RESUME", "RECONNECT"];

/// The client's own position. Other fields are ignored.
#[derive(Deserialize, ToSchema)]
pub(super) struct KeyStoke {
    /// Index of the word, from 0.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) word_index: i64,
    /// Index of the last character typed in the word; -1 before the first.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) char_index: i64,
}

impl Message for KeyStoke {
    const EVENT: &'static str = "KEY_STOKE";
}

/// What the player has typed, as edits: for clients that have asked for the sub-protocol `typephoon.v2`, instead of `KEY_STOKE`.
/// An edit deletes characters at the end of what was typed, then adds others; a blank ends a word. Only letters that the client
/// accepts are edits. At most 128 of them, each of at most 64 characters.
#[derive(Deserialize, ToSchema)]
pub(super) struct Edits {
    /// How many edits of this race the client has made before these.
    #[serde(deserialize_with = "lenient::integer")]
    #[salvo(schema(minimum = 0))]
    pub(super) seq: i64,
    /// The edits, oldest first. Edits that the server knows already change nothing.
    pub(super) edits: Vec<Edit>,
}

impl Message for Edits {
    const EVENT: &'static str = "EDITS";
}

/// How many edits of this race the server has received. Sent when a socket of the sub-protocol `typephoon.v2` opens, every 16
/// edits, at the end of the text, and after a repeat or a gap.
#[derive(Serialize, ToSchema)]
pub(super) struct EditsAck {
    pub(super) game_id: GameId,
    /// The number of edits.
    pub(super) seq: u32,
    /// Whether the client has to send its edits again from there: at the opening of a socket, and after a gap.
    pub(super) again: bool,
}

impl Message for EditsAck {
    const EVENT: &'static str = "EDITS_ACK";
}

/// Another player's position (the event's name is the contract's).
#[derive(Serialize, ToSchema)]
pub(super) struct Moved {
    game_id: GameId,
    user_id: UserId,
    /// Index of the word, from 0.
    word_index: u32,
    /// Index of the last character typed in the word; -1 before the first.
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

/// The race begins: the player may type.
#[derive(Serialize, ToSchema)]
pub(super) struct Start {
    pub(super) game_id: GameId,
}

impl Message for Start {
    const EVENT: &'static str = "START";
}

/// The player was told START before this socket opened.
#[derive(Serialize, ToSchema)]
pub(super) struct Resume {
    game_id: GameId,
    /// Seconds since the player was told START.
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

/// The time until START.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "RaceCountdown"))]
pub(super) struct RaceCountdown {
    /// 0 once the race is on.
    pub(super) seconds_left: f64,
}

/// The text to type.
#[derive(Serialize, ToSchema)]
pub(super) struct RaceWords {
    /// The words, joined by single blanks.
    words: String,
    /// For how many seconds they may be typed; present in races against the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u16>,
    /// What is known of the text; absent for common words.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<TextAbout>,
}

impl RaceWords {
    pub(super) fn of(game: &Game) -> Self {
        let about = TextAbout::clone(&game.part());
        Self {
            words: game.words().to_string(),
            seconds: game.part::<TimeLimit>().0,
            about: Some(about).filter(|about| *about != TextAbout::default()),
        }
    }
}

/// The players of a race.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "RacePlayers"))]
pub(super) struct RacePlayers {
    /// The caller.
    me: Standing,
    /// The others, by user id.
    others: BTreeMap<String, Standing>,
}

impl RacePlayers {
    /// `None` if the user has no seat.
    pub(super) fn seen_by(game: &Game, user: &UserId) -> Option<Self> {
        let me = Standing::of(game.player(user)?);
        let others = game.players.iter().filter(|player| player.user.id != *user);
        let others = others.map(|it| (it.user.id.to_string(), Standing::of(it))).collect();
        Some(Self { me, others })
    }
}

/// The caller's unfinished race.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "CurrentRace"))]
pub(super) struct Current {
    /// The race; null if there is none to return to.
    game: Option<OwnRace>,
}

/// A race that its player has not finished.
#[derive(Serialize, ToSchema)]
struct OwnRace {
    /// Its id.
    game_id: i64,
    /// By its lobby: `open`, `single`, `invited`, or that of a mode, such as `timed60`.
    kind: String,
}

impl Current {
    pub(super) fn of(played: &[Arc<Game>], user: &UserId) -> Self {
        let own = |game: &Game| OwnRace {
            game_id: game.id.0,
            kind: match &game.door {
                door if *door == Door::ALONE => "single".to_owned(),
                door => door.kind().to_ascii_lowercase(),
            },
        };
        Self { game: rules::current(played, user).map(own) }
    }
}
