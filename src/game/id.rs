//! Who and which: ids of games and users.

use std::fmt;
use std::sync::Arc;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

/// A game, from its lobby to its cleanup. Positive, growing by one per lobby.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Default,
    ToSchema,
)]
#[serde(transparent)]
#[salvo(schema(name = "GameId"))]
pub struct GameId(pub i64);

impl fmt::Display for GameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A lobby socket that a player sits on. Made up by chance: no two of one seat are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SocketId(pub u64);

/// What ids of bots begin with, and no others.
pub const BOT: &str = "bot-";

/// A user: `guest-` and 32 hex digits, or the provider's name and its own id (`google-77`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[salvo(schema(name = "UserId", value_type = String))]
pub struct UserId(Arc<str>);

impl UserId {
    /// The id of somebody who has not been here before: 128 random bits.
    pub fn new_guest() -> Self {
        Self(format!("guest-{:032x}", rand::random::<u128>()).into())
    }

    /// The id as it stands on the wire and in the tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for UserId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One login of a registered player, on one device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[salvo(schema(name = "LoginId", value_type = String))]
pub struct LoginId(Arc<str>);

impl LoginId {
    /// That of a login which begins: 128 random bits.
    #[allow(clippy::new_without_default, reason = "a random id is no default")]
    pub fn new() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()).into())
    }

    /// The id as it stands in tokens and in the tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for LoginId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run of a server: several may play the same games.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PodName(Arc<str>);

impl PodName {
    /// That of a server which starts: what operators call it, and 32 random bits, since what the run
    /// before has left behind is not ours.
    pub fn of_run(server: &str) -> Self {
        Self(format!("{server}-{:08x}", rand::random::<u32>()).into())
    }

    /// The name as it stands in messages and keys.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PodName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether results of a user are kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum UserType {
    /// Known by its cookie alone; nothing is kept beyond the race.
    Guest,
    /// Has a row in `users`.
    Registered,
}

/// Somebody who plays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// What others call them.
    pub name: String,
    /// Guest or registered.
    pub user_type: UserType,
}

impl User {
    /// Whether it is a pace-maker of the server's, and no person: it has neither token nor socket, takes
    /// no rank, and is in no record. To versions that know no bots it is a guest.
    pub fn is_bot(&self) -> bool {
        self.id.as_str().starts_with(BOT)
    }
}
