//! How the keys are called, and in which slot of a cluster they lie: what stands in braces decides that.

use crate::game::{GameId, PodName, UserId};

/// The names of all keys of one installation.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
    /// `{<prefix>:lobby}`: all that matchmaking needs lies in one slot.
    lobby: String,
}

impl Keys {
    /// # Errors
    /// A sentence, if keys under this prefix would not lie where they belong.
    pub(super) fn under(prefix: &str) -> Result<Self, String> {
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err("redis.prefix must be a text without braces".into());
        }
        Ok(Self { prefix: prefix.into(), lobby: format!("{{{prefix}:lobby}}") })
    }

    /// What the names of keys in the slot of the lobbies begin with; scripts make some by themselves.
    pub(super) fn lobby(&self) -> &str {
        &self.lobby
    }

    /// The facts of a game, as long as it is in its lobby.
    pub(super) fn waiting(&self, game: GameId) -> String {
        format!("{}:game:{game}", self.lobby)
    }

    /// The facts of a game from its preparation on, in a slot of its own.
    pub(super) fn racing(&self, game: GameId) -> String {
        format!("{{{}:{game}}}:game", self.prefix)
    }

    /// What a pod writes to see whether it can.
    pub(super) fn probe(&self, pod: &PodName) -> String {
        format!("{}:probe:{}", self.prefix, pod.as_str())
    }

    /// Which pods hold sockets of the game.
    pub(super) fn pods_of(&self, game: GameId) -> String {
        format!("{{{}:{game}}}:pods", self.prefix)
    }

    /// The games that are not over, by the end of each.
    pub(super) fn games(&self) -> String {
        format!("{}:games", self.lobby)
    }

    /// The games whose lobbies wait, by the opening of each.
    pub(super) fn lobbies(&self) -> String {
        format!("{}:lobbies", self.lobby)
    }

    /// Ids that the records have set aside.
    pub(super) fn ids(&self) -> String {
        format!("{}:ids", self.lobby)
    }

    /// The last id that was given away, where ids are counted.
    pub(super) fn last_id(&self) -> String {
        format!("{}:last-id", self.lobby)
    }

    /// The games in which a user sits or sat.
    pub(super) fn played(&self, user: &UserId) -> String {
        format!("{}:played:{user}", self.lobby)
    }

    /// When each pod was last known to live.
    pub(super) fn pods(&self) -> String {
        format!("{}:pods", self.lobby)
    }

    /// How many players each pod has.
    pub(super) fn players(&self) -> String {
        format!("{}:players", self.lobby)
    }

    /// When which timer of which game is due.
    pub(super) fn agenda(&self) -> String {
        format!("{}:agenda", self.lobby)
    }

    /// What is good once. These need no common slot.
    pub(super) fn once(&self, key: &str) -> String {
        format!("{}:once:{key}", self.prefix)
    }
}
