//! Handler modules: how a feature is declared and registered.
//!
//! A file `handlers/x.rs` (or `handlers/x/mod.rs`) contains one registration; adding the file installs the feature:
//!
//! ```
//! use typephoon_api::module::{Module, Wiring};
//!
//! inventory::submit! { Module { name: "x", path: module_path!(), wire } }
//!
//! fn wire(_module: &mut Wiring) {
//!     // what it hears, emits, shows; its routes, sockets and timers
//! }
//! ```
//!
//! Architecture Invariant: nothing in `src/` names a handler module. They are found at link time.

mod command;
pub(crate) mod context;
mod gathering;
mod keeping;
mod link;
mod providers;
mod route;
mod scaffold;
mod sockets;
#[cfg(test)]
mod tests;
mod wiring;

pub use self::context::{
    Batch, Brief, ClientEntry, ClockEntry, CollectionEntry, CommandEntry, Cx, Effect, Found,
    FrameEntry, InstrumentEntry, Item, ItemEdit, Items, Kept, ModuleTable, Need, Page, Question,
    RouteEntry, Setup, Share, Shares, Slot, SocketEntry, Turn, ViewEntry, render_table,
};
pub use command::{Command, Given};
pub use gathering::Gathered;
pub use link::{Module, linked};
pub use route::Route;
pub use scaffold::{Feature, scaffold};
pub use sockets::{Shown, Taken};
pub use wiring::{Declarations, Wiring, wire};

#[cfg(test)]
pub(crate) use self::context::Switch;
#[cfg(test)]
pub(crate) use command::BUILT_IN;
