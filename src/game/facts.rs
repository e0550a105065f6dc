//! The facts of one game, from the first seat in its lobby to its cleanup.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Door, GameId, Parts, PodName, SocketId, Timestamp, User, UserId};

/// How far a game has come. It only ever goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Players take and leave seats.
    Lobby,
    /// No more players are let in; the race is not prepared yet. Lasts an instant, unless a pod died in it.
    Closed,
    /// The race has its text; START is due soon.
    Countdown,
    /// START has been given.
    Running,
}

/// The figures of a claim, as the frontend computes them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Words per minute: letters of correct words and blanks, divided by 5 and by minutes.
    pub wpm: f64,
    /// Words per minute over all letters, right or wrong.
    pub wpm_raw: f64,
    /// Share of correct keystrokes, in percent.
    pub acc: f64,
}

/// A finished race of one player.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Result {
    /// Order of finishing among people, from 1; 0 for other players and for unranked results.
    pub rank: u32,
    /// When the player finished, or when the claim arrived, if that was much later.
    pub finished: Timestamp,
    /// The claim, corrected by what the server has seen.
    pub figures: Figures,
    /// Why a person has no rank; `None` for ranked results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unranked: Option<Unranked>,
}

/// Why a result has no rank, and is not in the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unranked {
    /// The server has seen too few keystrokes.
    KeystrokesNotSeen,
    /// Too much of the text was left out.
    TextNotTyped,
}

impl Unranked {
    /// Its code in answers and in stored facts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeystrokesNotSeen => "KEYSTROKES_NOT_SEEN",
            Self::TextNotTyped => "TEXT_NOT_TYPED",
        }
    }

    /// The reason with this code; `None` for unknown codes.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::KeystrokesNotSeen, Self::TextNotTyped];
        all.into_iter().find(|it| it.as_str() == word)
    }
}

/// One seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Player {
    /// The player. Guests of one game have different names.
    pub user: User,
    /// The player's open lobby sockets, and the pod that holds each. A restart closes them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sockets: BTreeMap<SocketId, PodName>,
    /// When the last lobby socket closed; `None` while one is open.
    pub absent_since: Option<Timestamp>,
    /// The result, once there is one.
    pub result: Option<Result>,
    /// What modules store with the seat.
    #[serde(flatten)]
    pub parts: Parts,
}

/// One game.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Game {
    /// Its id.
    pub id: GameId,
    /// Number of changes so far: newer facts have a higher version.
    pub version: u64,
    /// Its stage.
    pub stage: Stage,
    /// The rule of who may take a seat.
    #[serde(default)]
    pub door: Door,
    /// When its lobby was opened.
    pub opened_at: Timestamp,
    /// When its lobby closes (or closed).
    pub closes_at: Timestamp,
    /// Whether the lobby has reached the limit of players. It then takes no new ones, even if a player leaves.
    pub full: bool,
    /// When START is due, or was given.
    pub starts_at: Option<Timestamp>,
    /// When the game is removed.
    pub ends_at: Timestamp,
    /// Its players, in order of arrival.
    pub players: Vec<Player>,
    /// What modules store with the game.
    #[serde(flatten)]
    pub parts: Parts,
}

impl Game {
    /// A lobby that opens, without seats. The module that opens it says when it closes and ends.
    pub fn opened(id: GameId, now: Timestamp, parts: Parts) -> Self {
        Self {
            id,
            version: 1,
            stage: Stage::Lobby,
            door: Door::OPEN,
            opened_at: now,
            closes_at: now,
            full: false,
            starts_at: None,
            ends_at: now,
            players: Vec::new(),
            parts,
        }
    }

    /// The seat of a user.
    pub fn player(&self, user: &UserId) -> Option<&Player> {
        self.players.iter().find(|player| player.user.id == *user)
    }

    /// The seat of a user, mutable.
    pub fn player_mut(&mut self, user: &UserId) -> Option<&mut Player> {
        self.players.iter_mut().find(|player| player.user.id == *user)
    }

    /// The players who are people, and not moved by the server.
    pub fn people(&self) -> impl Iterator<Item = &Player> {
        self.players.iter().filter(|player| player.user.is_person())
    }

    /// The number of people who have a rank.
    pub fn finishers(&self) -> usize {
        self.people().filter(|player| player.result.is_some_and(|it| it.rank > 0)).count()
    }

    /// Whether the lobby still waits at `now`.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.stage == Stage::Lobby && now < self.closes_at
    }
}
