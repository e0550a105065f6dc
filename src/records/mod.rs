//! The record store: what is kept for good, and what a restart needs.
//!
//! The only room that knows sqlx. Everything is written in the terms of the game; a [`Journal`]
//! batches the writes of live games.

mod journal;
mod store;

pub use journal::{Change, Journal};
pub use store::Records;
