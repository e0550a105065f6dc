//! Ids: of games, users, logins, sockets and pods.

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

/// A lobby socket of a seat. Random, so that no two sockets of one seat are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SocketId(pub u64);

/// The prefix of the ids of guests.
const GUEST: &str = "guest-";

/// A user: `guest-` and 32 hex digits, the provider's name and its own id (`google-77`), or an id of a module for a player
/// that the server moves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[salvo(schema(name = "UserId", value_type = String))]
pub struct UserId(Arc<str>);

impl UserId {
    /// A new guest's id: 128 random bits.
    pub fn new_guest() -> Self {
        Self(format!("{GUEST}{:032x}", rand::random::<u128>()).into())
    }

    /// The id of no user, for a socket without a seat.
    pub fn none() -> Self {
        Self::from("")
    }

    /// The id as on the wire and in the tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the id of a guest: a player without an account.
    pub fn is_guest(&self) -> bool {
        self.0.starts_with(GUEST)
    }

    /// Whether it is a clone of the other one. Clones are equal, but what is equal need not be a clone.
    pub fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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
    /// A new login's id: 128 random bits.
    #[allow(clippy::new_without_default, reason = "a random id is no default")]
    pub fn new() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()).into())
    }

    /// The id as in tokens and in the tables.
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

/// A pod: one run of a server. Several may share their games.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PodName(Arc<str>);

impl PodName {
    /// A starting pod's name: the server's configured name and 32 random bits, so that what a previous run has left
    /// behind is not taken for this pod's.
    pub fn of_run(server: &str) -> Self {
        Self(format!("{server}-{:08x}", rand::random::<u32>()).into())
    }

    /// The name as in messages and keys.
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

/// Whether a user has an account, and so results in the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum UserType {
    /// Known only by its cookie; nothing is kept after the game.
    Guest,
    /// Has a row in `users`.
    Registered,
}

/// A player's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name that other players see.
    pub name: String,
    /// Guest or registered.
    pub user_type: UserType,
}

impl User {
    /// Whether it is a person: registered, or a guest. Other players are moved by the server: they have neither token nor
    /// socket, get no rank, and are in no record.
    pub fn is_person(&self) -> bool {
        self.user_type == UserType::Registered || self.id.is_guest()
    }

    /// Takes the seats of a player whose account is deleted, in races that can still be read.
    pub fn anonymous() -> Self {
        Self { id: UserId::new_guest(), name: ANONYMOUS.into(), user_type: UserType::Guest }
    }

    /// Whether the player's account is deleted, so that nothing may be kept about the player.
    pub fn is_anonymous(&self) -> bool {
        self.user_type == UserType::Guest && self.name == ANONYMOUS
    }
}

/// The name of players whose accounts are deleted. It cannot be chosen.
pub const ANONYMOUS: &str = "-";
