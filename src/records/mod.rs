//! The record store: permanent data, and what a restart needs.
//!
//! sqlx is used here only. The operations are in the terms of the game, on PostgreSQL or SQLite; a [`Journal`] batches
//! the writes of live games.

mod accounts;
mod audit;
mod clocks;
mod db;
mod derived;
mod failure;
mod items;
mod journal;
mod logins;
mod migrations;
mod probe;
mod results;
mod store;
mod switches;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;

pub use accounts::{ADDRESSES, Account, KeptLogin, LocalAccount};
pub use audit::Act;
pub use clocks::{Claimed, TurnClaim};
pub(crate) use derived::Derivation;
pub use items::{
    BATCH, BODY, Cursor, Expected, INDEXES, ItemWrite, KEY, NewItem, PAGE, Range, SORT_KEY,
    SortKey, StoredItem,
};
pub use journal::{Change, Journal, JournalPermit, Writing};
pub use logins::{Begun, GRACE, Refresh, StoredToken};
pub use results::{Average, KeptResult, Summary};
pub use store::{Pool, Records};
pub use switches::SwitchedOff;
