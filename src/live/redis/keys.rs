//! How the keys are called, and in which slot of a cluster they lie: what stands in braces decides that.

use crate::game::{GameId, PodName};
use crate::live::Index;

/// The parts that games and their indexes are spread over, by the id of the game. Each lies in one slot, so that the facts of a
/// game and its index entries change together.
pub(super) const SHARDS: i64 = 16;

/// The names of all keys of one installation.
#[derive(Clone, Debug)]
pub(super) struct RedisKeys {
    prefix: String,
    /// `{<prefix>:lobby}`: what pods tell each other, as in versions before this one.
    common: String,
}

impl RedisKeys {
    /// # Errors
    /// A sentence, if keys under this prefix would not lie where they belong.
    pub(super) fn under(prefix: &str) -> Result<Self, String> {
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err("redis.prefix must be a text without braces".into());
        }
        Ok(Self { prefix: prefix.into(), common: format!("{{{prefix}:lobby}}") })
    }

    /// In which part a game lies.
    pub(super) fn shard(game: GameId) -> i64 {
        game.0.rem_euclid(SHARDS)
    }

    /// The facts of a game.
    pub(super) fn game(&self, game: GameId) -> String {
        format!("{{{}:shard-{}}}:game:{game}", self.prefix, Self::shard(game))
    }

    /// The games of one part that an index leads to, by their ids.
    pub(super) fn index(&self, shard: i64, index: &Index) -> String {
        format!("{{{}:shard-{shard}}}:{index}", self.prefix)
    }

    /// A value that is no game's. These need no common slot.
    pub(super) fn shared(&self, key: &str) -> String {
        format!("{}:shared:{key}", self.prefix)
    }

    /// What a pod writes to see whether it can.
    pub(super) fn probe(&self, pod: &PodName) -> String {
        format!("{}:probe:{pod}:{:08x}", self.prefix, rand::random::<u32>())
    }

    /// Which pods hold sockets of the game.
    pub(super) fn pods_of(&self, game: GameId) -> String {
        format!("{{{}:{game}}}:pods", self.prefix)
    }

    /// Ids that the records have set aside.
    pub(super) fn ids(&self) -> String {
        format!("{}:ids", self.common)
    }

    /// The last id that was given away, where ids are counted.
    pub(super) fn last_id(&self) -> String {
        format!("{}:last-id", self.common)
    }

    /// When each pod was last known to live.
    pub(super) fn pods(&self) -> String {
        format!("{}:pods", self.common)
    }

    /// How many players each pod has.
    pub(super) fn players(&self) -> String {
        format!("{}:players", self.common)
    }

    /// When which timer of which game is due. Pods of a version that keeps games in another way have their own.
    pub(super) fn agenda(&self) -> String {
        format!("{}:agenda-v2", self.common)
    }
}
