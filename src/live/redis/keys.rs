//! The names of keys. The part in braces decides in which slot of a cluster a key is.

use crate::game::{GameId, PodName};
use crate::live::Index;

/// Shards of games and their indexes, by the game's id. Each is in one slot, so that the facts of a game and its index
/// entries change in one commit.
pub(super) const SHARDS: i64 = 16;

/// The names of all keys of one installation.
#[derive(Clone, Debug)]
pub(super) struct RedisKeys {
    prefix: String,
    /// `{<prefix>:lobby}`: what pods share about each other; named as in earlier versions.
    common: String,
}

impl RedisKeys {
    /// # Errors
    /// A sentence, if keys with this prefix would be in the wrong slots.
    pub(super) fn under(prefix: &str) -> Result<Self, String> {
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err("redis.prefix must be a text without braces".into());
        }
        Ok(Self { prefix: prefix.into(), common: format!("{{{prefix}:lobby}}") })
    }

    /// The shard of a game.
    pub(super) fn shard(game: GameId) -> i64 {
        game.0.rem_euclid(SHARDS)
    }

    /// The facts of a game.
    pub(super) fn game(&self, game: GameId) -> String {
        format!("{{{}:shard-{}}}:game:{game}", self.prefix, Self::shard(game))
    }

    /// The entries of an index in one shard: ids of games.
    pub(super) fn index(&self, shard: i64, index: &Index) -> String {
        format!("{{{}:shard-{shard}}}:{index}", self.prefix)
    }

    /// Says that this commit of the value at `key` was done; in the slot of that key.
    pub(super) fn receipt(key: &str, commit: u64) -> String {
        let key = if key.contains('{') { key.to_owned() } else { format!("{{{key}}}") };
        format!("{key}:done:{commit:016x}")
    }

    /// A shared value. These need no common slot.
    pub(super) fn shared(&self, key: &str) -> String {
        format!("{}:shared:{key}", self.prefix)
    }

    /// A value that a pod writes to check that Redis accepts writes.
    pub(super) fn probe(&self, pod: &PodName) -> String {
        format!("{}:probe:{pod}:{:08x}", self.prefix, rand::random::<u32>())
    }

    /// Which pods hold sockets of the game.
    pub(super) fn pods_of(&self, game: GameId) -> String {
        format!("{{{}:{game}}}:pods", self.prefix)
    }

    /// Ids that the records have reserved.
    pub(super) fn ids(&self) -> String {
        format!("{}:ids", self.common)
    }

    /// The last id, where ids are counted in Redis.
    pub(super) fn last_id(&self) -> String {
        format!("{}:last-id", self.common)
    }

    /// The last heartbeat of each pod.
    pub(super) fn pods(&self) -> String {
        format!("{}:pods", self.common)
    }

    /// How many players each pod has.
    pub(super) fn players(&self) -> String {
        format!("{}:players", self.common)
    }

    /// The deadlines of timers. Versions that store games in another form have an agenda of their own.
    pub(super) fn agenda(&self) -> String {
        format!("{}:agenda-v2", self.common)
    }
}
