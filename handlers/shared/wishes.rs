//! What the players of a game have asked for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::token_of;
use crate::game::{Game, Part, Player, Stage, UserId};

/// Options for the text of a lobby that is not open to all. The defaults give the text of open races.
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

impl Part for Wishes {
    const NAME: &'static str = "wishes";
}

impl Game {
    /// The host of a waiting friends' lobby: the person who has sat there longest. May close it, and choose its text.
    pub fn host(&self) -> Option<&UserId> {
        let has_host = self.stage == Stage::Lobby && token_of(&self.door).is_some();
        self.people().next().filter(|_| has_host).map(|player| &player.user.id)
    }

    /// Whether all people present are ready. In a friends' lobby that takes at least two: a single player waits for
    /// friends.
    pub fn is_ready(&self) -> bool {
        let least = if token_of(&self.door).is_some() { 2 } else { 1 };
        let wishes = self.part::<Wishes>();
        let present = || self.people().filter(|player| player.absent_since.is_none());
        let is_ready = |player: &Player| wishes.ready.contains(&player.user.id);
        present().count() >= least && present().all(is_ready)
    }
}
