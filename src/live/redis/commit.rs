//! A commit: replaces a value if it is still the one that was read.

use std::time::Duration;

use redis::RedisError;

use super::connection::RedisConnection;
use super::keys::RedisKeys;
use super::{KEPT_LONGER, RedisLive, failed, millis, scripts};
use crate::Error;
use crate::game::{Game, GameId, Timestamp};
use crate::live::{Index, Shared};

/// How long Redis keeps a shared value after its expiry: pods check the expiry by their own clocks, which they set by
/// that of Redis.
const SHARED_LONGER: Duration = Duration::from_secs(60);

/// How long Redis keeps the receipt of a commit: longer than a request to a cluster takes with all its retries.
const RECEIPT: Duration = Duration::from_secs(10);

/// Which value it is.
#[derive(Debug)]
enum CommitKey {
    Game(GameId),
    Shared(String),
}

/// The replacement of a value.
#[derive(Debug)]
pub(in crate::live) struct Commit {
    /// Random: tells a repetition of the commit from another one.
    id: u64,
    key: CommitKey,
    /// The version that was read; empty if there was none.
    expected: String,
    version: String,
    /// Empty: removes the value.
    value: String,
    kept: Duration,
    /// How long Redis keeps its receipt, so that a repetition changes nothing and is done as well; zero: none.
    receipt: Duration,
    not_before: Timestamp,
    /// Indexes to which the game is added, and indexes from which it is removed.
    entered: Vec<Index>,
    left: Vec<Index>,
}

/// The outcome of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) enum Committed {
    Done,
    /// Another version is stored: the facts have changed since they were read.
    Stale,
    /// It is too early by this much.
    Early(Duration),
}

impl Commit {
    /// Replaces the facts of a game; `None` stands for no facts, before a game is opened or after it is removed.
    pub(in crate::live) fn of_game(
        before: Option<&Game>,
        after: Option<&Game>,
    ) -> Result<Self, Error> {
        let ways = |game: Option<&Game>| game.map(Index::of).unwrap_or_default();
        let (mut left, mut entered) = (ways(before), ways(after));
        let known = left.clone();
        left.retain(|index| !entered.contains(index));
        entered.retain(|index| !known.contains(index));
        let id = after.or(before).map(|game| game.id).unwrap_or_default();
        let version = |game: Option<&Game>| game.map_or(String::new(), |it| it.version.to_string());
        let value = after.map(serde_json::to_string).transpose().map_err(Error::internal)?;
        let lasts = after.map_or(Duration::ZERO, |game| game.ends_at.after(Timestamp::now()));
        Ok(Self {
            id: rand::random(),
            key: CommitKey::Game(id),
            expected: version(before),
            version: version(after),
            value: value.unwrap_or_default(),
            kept: lasts + KEPT_LONGER,
            receipt: Duration::ZERO,
            not_before: Timestamp(0),
            entered,
            left,
        })
    }

    /// Replaces a shared value.
    pub(super) fn of_shared(key: String, before: Option<&Shared>, after: Option<&Shared>) -> Self {
        let version = |it: Option<&Shared>| it.map_or(String::new(), |it| it.version.to_string());
        let lasts = after.map_or(Duration::ZERO, |it| it.until.after(Timestamp::now()));
        Self {
            id: rand::random(),
            key: CommitKey::Shared(key),
            expected: version(before),
            version: version(after),
            value: after.map_or(String::new(), Shared::write),
            kept: lasts + SHARED_LONGER,
            receipt: Duration::ZERO,
            not_before: Timestamp(0),
            entered: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Is refused before this time, by the clock of Redis.
    pub(super) fn not_before(self, not_before: Timestamp) -> Self {
        Self { not_before, ..self }
    }

    /// May be repeated, if the answer is lost.
    pub(in crate::live) fn with_receipt(self) -> Self {
        Self { receipt: RECEIPT, ..self }
    }

    /// The same, kept for a second.
    pub(super) fn for_a_second(self) -> Self {
        Self { kept: Duration::from_secs(1), ..self }
    }
}

impl RedisLive {
    pub(super) async fn commit(&self, commit: Commit) -> Result<Committed, Error> {
        // The client of a cluster sends a request again if its answer is lost. One Redis is asked once.
        let is_repeated = matches!(self.redis, RedisConnection::Cluster(_));
        let commit = if is_repeated { commit.with_receipt() } else { commit };
        self.try_commit(&commit).await.map_err(failed)
    }

    pub(in crate::live) async fn try_commit(
        &self,
        commit: &Commit,
    ) -> Result<Committed, RedisError> {
        let (key, id) = match &commit.key {
            CommitKey::Game(id) => (self.keys.game(*id), *id),
            CommitKey::Shared(key) => (key.clone(), GameId(0)),
        };
        let mut call = scripts::COMMIT.key(&key);
        call.key(RedisKeys::receipt(&key, commit.id));
        call.arg(&commit.expected).arg(&commit.version).arg(&commit.value);
        call.arg(millis(commit.kept)).arg(commit.not_before.0).arg(id.0);
        call.arg(millis(commit.receipt));
        for index in &commit.entered {
            call.key(self.keys.index(RedisKeys::shard(id), index)).arg(id.0);
        }
        for index in &commit.left {
            call.key(self.keys.index(RedisKeys::shard(id), index)).arg("");
        }
        let committed = call.invoke_async(&mut self.redis.clone()).await;
        let (outcome, early): (String, u64) = committed?;
        Ok(match outcome.as_str() {
            "done" => Committed::Done,
            "early" => Committed::Early(Duration::from_micros(early)),
            _ => Committed::Stale,
        })
    }
}
