//! The rooms of this pod, and the frames on their way to their members. They know nothing of connections and modules:
//! events are shown here, and sessions empty the outboxes.

mod channel;
mod frame;
mod gather;
mod goodbye;
mod heartbeats;
mod leaving;
mod message;
mod outbox;
mod rates;
mod room;
mod shown;
mod table;
mod tick;
mod whose;

pub use channel::{Channel, LOBBY, RACE};
pub use frame::Frame;
pub use goodbye::Goodbye;
pub use message::{Message, MessageInfo, Messages};
pub use outbox::{CONFLATE_FROM, LIFECYCLE_LIMIT, Outbox};
pub use room::{Member, Room, Seat};
pub use table::{Rooms, SocketsOf};
pub use tick::{Newest, TICK};
pub use whose::Whose;

pub(crate) use message::Side;
pub(crate) use tick::Show;

pub(in crate::socket) use leaving::Recipient;
pub(in crate::socket) use outbox::Call;
#[cfg(fuzzing)]
pub(in crate::socket) use room::KeptPlayer;
