//! The words of the game: ids, times, the facts of a race and the events that announce them.
//!
//! Everything here is plain data. What may follow from what is decided in `handlers/`; how the
//! facts change, atomically, in [`crate::live`].

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
