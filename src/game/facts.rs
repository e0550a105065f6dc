//! The facts of one game, from the first seat in its lobby to its cleanup.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{GameId, Log, PodName, Progress, SocketId, Timestamp, User, UserId};

/// How far a game has come. It only ever goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Players come and go.
    Lobby,
    /// Nobody comes any more; the race is not prepared yet (an instant, unless a server died in it).
    Closed,
    /// The words are there and START is near.
    Countdown,
    /// START has been given.
    Running,
}

/// Whom a lobby lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Door {
    /// Whoever queues in.
    #[default]
    Open,
    /// Nobody but its first player: a race alone.
    Alone,
    /// Whoever has this token. As long as it waits it has a host, [`Game::host`].
    Invited(Arc<str>),
}

/// What a player claims of the own race, as the frontend computes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Words per minute: letters of correct words and blanks, by 5, by minutes.
    pub wpm: f64,
    /// The same over all letters.
    pub wpm_raw: f64,
    /// Correct keystrokes of all keystrokes, in percent.
    pub acc: f64,
}

/// A finished race of one player.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Result {
    /// Order of arrival at the server, from 1, among people; 0 for a bot, and for results that are not ranked.
    pub rank: u32,
    /// When it arrived.
    pub finished: Timestamp,
    /// What was claimed, as far as it is borne out.
    pub figures: Figures,
    /// Why a person has no rank, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unranked: Option<Unranked>,
}

/// Why a finish has no rank, and is in no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unranked {
    /// Hardly any keystrokes came.
    KeystrokesNotSeen,
    /// Too much of the text was left out.
    TextNotTyped,
}

impl Unranked {
    /// The word for it, in answers and in stored facts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeystrokesNotSeen => "KEYSTROKES_NOT_SEEN",
            Self::TextNotTyped => "TEXT_NOT_TYPED",
        }
    }

    /// What the word stands for, if it is one.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::KeystrokesNotSeen, Self::TextNotTyped];
        all.into_iter().find(|it| it.as_str() == word)
    }
}

/// One seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Player {
    /// Who sits here. The name is unique among the guests of the game.
    pub user: User,
    /// Open lobby sockets, and the pod that holds each. A restart closes them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sockets: BTreeMap<SocketId, PodName>,
    /// Since when no lobby socket of the player is open, if none is.
    pub absent_since: Option<Timestamp>,
    /// When START was told to the player: once, since a second one would falsify the result.
    pub started: Option<Timestamp>,
    /// When that was first noted: a START that did not arrive and is told again does not restart the
    /// player's clock.
    #[serde(default)]
    pub first_started: Option<Timestamp>,
    /// What was seen of the player's typing.
    #[serde(default)]
    pub progress: Progress,
    /// The result, once.
    pub result: Option<Result>,
}

impl Player {
    /// Whether servers follow the typing of this player. A server of the version before, which told START,
    /// did not.
    pub fn is_followed(&self) -> bool {
        self.started.is_none() || self.first_started.is_some()
    }
}

/// Which text a lobby of one's own is to race over. Without a wish it is the one that every open race has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextWish {
    /// How many words.
    pub words: Option<u16>,
    /// Whether sentences have capitals and punctuation marks.
    pub punctuation: bool,
    /// Whether some words are numbers.
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
    /// The text that the player wished for whose socket opened the lobby.
    pub text: TextWish,
    /// People that are ready.
    pub ready: BTreeSet<UserId>,
}

/// One game.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Game {
    /// Which.
    pub id: GameId,
    /// How often its facts have changed: tells newer facts from older ones.
    pub version: u64,
    /// How far it has come.
    pub stage: Stage,
    /// Whom its lobby lets in.
    #[serde(default)]
    pub door: Door,
    /// When its lobby was opened.
    pub opened_at: Timestamp,
    /// When its lobby closes (or closed).
    pub closes_at: Timestamp,
    /// Whether the limit of players was reached: then nobody new comes, even if somebody leaves.
    pub full: bool,
    /// When START is due; once it is given, when that was.
    pub starts_at: Option<Timestamp>,
    /// When the game is taken away.
    pub ends_at: Timestamp,
    /// The words of the race, joined by single blanks; empty until the lobby has closed.
    pub words: Arc<str>,
    /// In order of arrival.
    pub players: Vec<Player>,
    /// Who came and went in the lobby.
    #[serde(default)]
    pub log: Log,
    /// What they asked for.
    #[serde(default)]
    pub wishes: Wishes,
}

impl Game {
    /// The seat of a user.
    pub fn player(&self, user: &UserId) -> Option<&Player> {
        self.players.iter().find(|player| player.user.id == *user)
    }

    /// The seat of a user, to be changed.
    pub fn player_mut(&mut self, user: &UserId) -> Option<&mut Player> {
        self.players.iter_mut().find(|player| player.user.id == *user)
    }

    /// Those who are no bots.
    pub fn people(&self) -> impl Iterator<Item = &Player> {
        self.players.iter().filter(|player| !player.user.is_bot())
    }

    /// How many people have a rank.
    pub fn finishers(&self) -> usize {
        self.people().filter(|player| player.result.is_some_and(|it| it.rank > 0)).count()
    }

    /// Who may have the lobby closed: of an invitation's lobby that waits, whoever sits there longest.
    pub fn host(&self) -> Option<&UserId> {
        let has_host = self.stage == Stage::Lobby && matches!(self.door, Door::Invited(_));
        self.people().next().filter(|_| has_host).map(|player| &player.user.id)
    }

    /// Whether all people present are ready. Alone in an invitation's lobby, a player still waits for friends.
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
