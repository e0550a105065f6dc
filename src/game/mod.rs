//! The vocabulary of the runtime: ids, times, the facts that every game has, and the events that announce changes.
//!
//! Everything here is plain data. What else is known of a game are [parts](Part) of modules. The rules are in `handlers/`;
//! [`crate::live`] changes the facts atomically.

mod door;
mod events;
mod facts;
mod hash;
mod id;
mod part;
mod seats;
mod time;

pub use door::Door;
pub use events::{
    GameEnded, GuestLoggedIn, LobbyClosed, LoginEnded, PlayerFinished, PlayerForgotten,
    PlayerJoined, PlayerLeft, PlayerMoved, PlayerTyped, RaceEntered, RacePrepared, RaceStarted,
};
pub use facts::{Figures, Game, Player, Result, Stage, Unranked};
pub(crate) use hash::Quick;
pub use id::{ANONYMOUS, GameId, LoginId, PodName, SocketId, User, UserId, UserType};
pub use part::{Part, Parts};
pub use seats::OpenSocket;
pub use time::Timestamp;
