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

mod context;
mod link;
mod providers;
mod rows;
mod scaffold;
mod switch;
mod table;
#[cfg(test)]
mod tests;
mod wiring;

pub use context::{Cx, Setup};
pub use link::{Module, linked};
pub use rows::{Effect, FrameEntry, InstrumentEntry, RouteEntry, SocketEntry, ViewEntry};
pub use scaffold::scaffold;
pub use table::{ModuleTable, render_table};
pub use wiring::{Declarations, Wiring, wire};

pub(crate) use context::Parts;
pub(crate) use switch::{Off, Switch, Switches};
pub(crate) use wiring::{FrameHandler, FrameHandlers};
