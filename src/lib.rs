//! The server of a real-time multiplayer typing race.
//!
//! A plugin-style runtime around an internal event bus. This crate is a map of rooms:
//!
//! | room | what it holds |
//! |---|---|
//! | [`game`] | the words of the game: ids, facts, events |
//! | [`bus`] | typed events, from publishers to handler modules and rooms |
//! | `bridge` | the bus and the timers over all pods, by RabbitMQ |
//! | [`module`] | what a handler module declares, and how it is found |
//! | [`handlers`] | the game itself, one module per feature (`handlers/` at the top of the repository) |
//! | [`socket`] | WebSockets: sessions, outboxes, rooms of players |
//! | [`http`] | the router, the envelope of answers, the documentation page |
//! | [`live`] | the live state: atomic operations on lobbies and races |
//! | [`records`] | the record store: what is kept for good |
//! | [`timers`] | countdowns, derived from the facts of games |
//! | `clock` | what time it is, whatever happens to the wall clock |
//! | `drain` | sends the sockets of a pod elsewhere |
//! | [`auth`] | tokens and cookies |
//! | [`login`] | identity providers, and what follows from a login |
//! | [`telemetry`] | logs, traces, metrics |
//! | `operations` | the port for those who run the server: metrics, probes, the operations page |
//! | [`settings`] | what an operator may say |
//! | [`app`], [`cli`] | the whole, started and stopped |

pub mod app;
pub mod auth;
mod bridge;
pub mod bus;
pub mod cli;
mod clock;
mod drain;
pub mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod game;
mod health;
pub mod http;
pub mod live;
pub mod login;
pub mod module;
mod operations;
pub mod records;
pub mod settings;
pub mod socket;
pub mod telemetry;
pub mod timers;

/// The handler modules: every file of `handlers/`, listed by `build.rs`.
#[allow(missing_docs, reason = "a handler module speaks through its registration")]
pub mod handlers {
    include!(concat!(env!("OUT_DIR"), "/handlers.rs"));
}

pub use error::{Error, Kind};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tidy;
