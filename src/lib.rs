//! The server of a real-time multiplayer typing race.
//!
//! A plugin-style runtime around an internal event bus:
//!
//! | module | contents |
//! |---|---|
//! | [`game`] | ids, facts and events of games |
//! | [`bus`] | typed events, from publishers to handler modules and rooms |
//! | `bridge` | the bus and the timers across pods, over RabbitMQ |
//! | [`module`] | what a handler module declares, and how it is found |
//! | [`handlers`] | the game itself, one module per feature (`handlers/` at the top of the repository) |
//! | [`socket`] | WebSockets: sessions, outboxes, rooms of players |
//! | [`http`] | the router, the envelope of answers, the documentation page |
//! | [`live`] | the live state: atomic operations on lobbies and races |
//! | [`records`] | the record store: permanent data |
//! | [`timers`] | countdowns, derived from the facts of games |
//! | `clock` | the time of the process, independent of steps of the wall clock |
//! | `peers` | the other pods, as this one knows them |
//! | `drain` | moves the sockets of a pod to other pods |
//! | [`auth`] | tokens and cookies |
//! | [`login`] | identity providers, and accounts |
//! | [`telemetry`] | logs, traces, metrics |
//! | `operations` | the operations port: metrics, probes, the operations page |
//! | [`settings`] | the settings |
//! | [`app`], [`cli`] | start and stop; the command line |

pub mod app;
pub mod auth;
mod background;
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
mod peers;
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
