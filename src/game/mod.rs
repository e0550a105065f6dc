//! The vocabulary of the game: ids, times, the facts of a game and the events that announce changes.
//!
//! Everything here is plain data. The rules of the game are in `handlers/`; [`crate::live`] changes the facts
//! atomically.

mod events;
mod facts;
mod finish;
mod id;
mod log;
mod progress;
mod seats;
mod text;
mod time;

pub use events::{
    GameEnded, GuestLoggedIn, LobbyClosed, LoginEnded, PlayerFinished, PlayerForgotten,
    PlayerJoined, PlayerLeft, PlayerMoved, PlayerTyped, RaceEntered, RacePrepared, RaceStarted,
};
pub use facts::{Door, Figures, Game, Player, Result, Stage, TextWish, Unranked, Wishes};
pub use finish::{Claim, Finish};
pub use id::{BOT, GameId, LoginId, PodName, SocketId, User, UserId, UserType};
pub use log::{Log, Passage};
pub use progress::{FASTEST, Noted, Progress, Tracker};
pub use seats::OpenSocket;
pub use text::Text;
pub use time::Timestamp;
