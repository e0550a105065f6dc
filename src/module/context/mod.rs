//! The context of handler modules, and what it reaches: everything below the sockets and the bridge. The declarations
//! of modules are above it.

mod brief;
mod clockwork;
mod collection;
mod cx;
mod handover;
mod keeping;
mod question;
mod rows;
mod setup;
mod shares;
mod switch;
mod table;
#[cfg(test)]
mod tests;

pub use brief::Brief;
pub use clockwork::Turn;
pub(in crate::module) use collection::item_write;
pub use collection::{Batch, Item, ItemEdit, Items, Kept, Page};
pub use cx::Cx;
pub use question::Question;
pub use rows::{
    ClientEntry, ClockEntry, CollectionEntry, CommandEntry, Effect, FrameEntry, InstrumentEntry,
    Need, RouteEntry, Slot, SocketEntry, ViewEntry,
};
pub use setup::Setup;
pub use shares::{Found, Share, Shares};
pub use table::{ModuleTable, render_table};

pub(crate) use brief::{Ground, LaterGround};
pub(crate) use clockwork::{Clock, start as start_clocks};
#[cfg(test)]
pub(crate) use cx::TURNS;
pub(crate) use cx::{CxParts, Modules};
pub(crate) use keeping::Keeping;
pub(crate) use switch::{Off, Switch, Switches};

pub(in crate::module) use question::Questions;
pub(in crate::module) use setup::{Instruments, States};
pub(in crate::module) use table::check;
