//! The context of handler modules, and what it reaches: everything below the sockets and the bridge. The declarations
//! of modules are above it.

mod brief;
mod cx;
mod question;
mod rows;
mod setup;
mod switch;
mod table;

pub use brief::Brief;
pub use cx::Cx;
pub use question::Question;
pub use rows::{
    ClientEntry, Effect, FrameEntry, InstrumentEntry, Need, RouteEntry, Slot, SocketEntry,
    ViewEntry,
};
pub use setup::Setup;
pub use table::{ModuleTable, render_table};

pub(crate) use brief::{Ground, LaterGround};
pub(crate) use cx::{Modules, Parts};
pub(crate) use switch::{Off, Switch, Switches};

pub(in crate::module) use question::Questions;
pub(in crate::module) use setup::{Instruments, States};
pub(in crate::module) use table::check;
