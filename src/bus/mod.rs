//! The in-process event bus: it passes typed events from their publishers to the handler modules that subscribed to the
//! type, and to the rooms that show them.
//!
//! ```text
//!                    ┌ views: a frame into the room of the game, at once, by the publisher itself
//! publish(event) ────┤
//!                    ├ Never:  bounded lanes of each hearing module (back-pressure when full)
//!                    └ Latest: one ring per type (a slow module lags, and re-reads)
//! ```
//!
//! * The bus is keyed by type and built once, at start-up: publishing takes no lock, and an event without subscribers
//!   costs one table lookup.
//! * Order holds for the events of one game as seen by one handler module, within one loss promise.
//! * Sockets do not subscribe: they are members of a room.
//! * The bus is generic over the context of handlers. It knows modules as [`Owner`]s only.
//!
//! Architecture Invariant: the graph of `Never` events (heard by a module → emitted by it) has no
//! cycle, which start-up checks; so back-pressure cannot turn into a deadlock.

mod build;
mod carrier;
mod event;
mod fence;
mod lane;
mod owner;
mod publish;
mod tap;
mod topic;

pub use build::{BusBuilder, Listeners, RING_CAPACITY, Reread};
pub use carrier::{Carrier, Parcel, Receipt, ReceivedEvent, Settled};
pub use event::{
    Envelope, Event, EventInfo, Fleeting, Heard, Latest, Loss, Never, Promise, Reach, Unawaited,
};
pub use fence::{LEFT_ALONE_AFTER, SLOW_AFTER};
pub use lane::{LANE_CAPACITY, LANES, Lanes};
pub use owner::Owner;
pub use publish::{Emits, Pending};
pub use topic::Bus;

pub(crate) use event::SchemaOf;
pub(crate) use fence::{
    count_deliveries_from_zero, count_from_zero, fence, guard, guard_part, report_panic,
};
pub(crate) use lane::Delivery;
pub(crate) use tap::{Focus, Sight};
pub(crate) use topic::Handling;

#[cfg(test)]
mod tests;
