//! The facts of one game, from the first seat in its lobby to its cleanup.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{GameId, Log, PodName, Progress, SocketId, Timestamp, User, UserId};

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

/// The rule of who may take a seat in a lobby.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Door {
    /// Any player who queues in.
    #[default]
    Open,
    /// Only its first player: a race alone.
    Alone,
    /// Players with this token. While the lobby waits it has a host, [`Game::host`].
    Invited(Arc<str>),
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
    /// Order of arrival at the server among people, from 1; 0 for bots and for unranked results.
    pub rank: u32,
    /// When it arrived.
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
    /// When the player was told START: once, since a second one would falsify the result.
    pub started: Option<Timestamp>,
    /// When `started` was first set. A START that did not arrive is told again, which does not restart the player's
    /// clock.
    #[serde(default)]
    pub first_started: Option<Timestamp>,
    /// The player's typing, as the pods have seen it.
    #[serde(default)]
    pub progress: Progress,
    /// The result, once there is one.
    pub result: Option<Result>,
}

impl Player {
    /// Whether the pods track the typing of this player. They do not if a pod of the previous version told START.
    pub fn is_followed(&self) -> bool {
        self.started.is_none() || self.first_started.is_some()
    }
}

/// Options for the text of a single or invited lobby. The defaults give the text of open races.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextWish {
    /// Number of words; `None` for as many as in open races.
    pub words: Option<u16>,
    /// Sentences with capitals and punctuation marks.
    pub punctuation: bool,
    /// Numbers among the words.
    pub numbers: bool,
}

impl TextWish {
    /// How many words a text may have.
    pub const WORDS: std::ops::RangeInclusive<u16> = 5..=200;
}

/// What the players of a game have asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    /// The text: the wish of the player who opened the lobby, until the host chooses another.
    pub text: TextWish,
    /// The people who are ready.
    pub ready: BTreeSet<UserId>,
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
    /// The words of the race, joined by single blanks; empty until the lobby has closed.
    pub words: Arc<str>,
    /// Its players, in order of arrival.
    pub players: Vec<Player>,
    /// Arrivals and departures in the lobby.
    #[serde(default)]
    pub log: Log,
    /// What the players have asked for.
    #[serde(default)]
    pub wishes: Wishes,
}

impl Game {
    /// The seat of a user.
    pub fn player(&self, user: &UserId) -> Option<&Player> {
        self.players.iter().find(|player| player.user.id == *user)
    }

    /// The seat of a user, mutable.
    pub fn player_mut(&mut self, user: &UserId) -> Option<&mut Player> {
        self.players.iter_mut().find(|player| player.user.id == *user)
    }

    /// The players who are not bots.
    pub fn people(&self) -> impl Iterator<Item = &Player> {
        self.players.iter().filter(|player| !player.user.is_bot())
    }

    /// The number of people who have a rank.
    pub fn finishers(&self) -> usize {
        self.people().filter(|player| player.result.is_some_and(|it| it.rank > 0)).count()
    }

    /// The host of a waiting friends' lobby: the person who has sat there longest. May close it, and choose its text.
    pub fn host(&self) -> Option<&UserId> {
        let has_host = self.stage == Stage::Lobby && matches!(self.door, Door::Invited(_));
        self.people().next().filter(|_| has_host).map(|player| &player.user.id)
    }

    /// Whether all people present are ready. In a friends' lobby that takes at least two: a single player waits for
    /// friends.
    pub fn is_ready(&self) -> bool {
        let least = if matches!(self.door, Door::Invited(_)) { 2 } else { 1 };
        let present = || self.people().filter(|player| player.absent_since.is_none());
        let is_ready = |player: &Player| self.wishes.ready.contains(&player.user.id);
        present().count() >= least && present().all(is_ready)
    }

    /// Whether the lobby still waits at `now`.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.stage == Stage::Lobby && now < self.closes_at
    }
}
