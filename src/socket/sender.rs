//! Frames of clients, as the modules that declare them receive them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

use super::rooms::{Channel, Frame, Message, Outbox, Seat};
use super::state::Malformed;
use crate::bus::{Bus, Pending};
use crate::game::Quick;
use crate::http::edge::Rate;
use crate::module::context::{Brief, Cx, Ground, Switch};

/// The frames that clients may send, by channel and `event`.
pub(crate) type FrameHandlers =
    HashMap<Channel, HashMap<&'static str, DeclaredFrame, Quick>, Quick>;

/// One kind of a client's frames.
pub(crate) struct DeclaredFrame {
    /// The switch of its module.
    pub(crate) switch: Arc<Switch>,
    /// The rate of each player, if it has one of its own; frames beyond it are dropped.
    pub(crate) rate: Option<Rate>,
    pub(crate) handler: FrameHandler,
}

/// Handles a frame: `Err` if it is not a valid message.
pub(crate) type FrameHandler =
    Box<dyn Fn(&Arc<Bus<Cx>>, &Sent<'_>) -> Result<Pending, Malformed> + Send + Sync>;

/// A frame, and what its handler may use.
pub(crate) struct Sent<'a> {
    pub(crate) seat: &'a Seat,
    pub(crate) outbox: &'a Outbox,
    pub(crate) ground: &'a Ground,
    pub(crate) text: &'a str,
}

/// The sender of a frame: its seat, the small context of the module, and a way to answer. Derefs to the seat.
pub struct Sender<'a> {
    seat: &'a Seat,
    outbox: &'a Outbox,
    /// Settings, state and clock.
    pub brief: Brief<'a>,
}

impl<'a> Sender<'a> {
    pub(crate) fn of(sent: &Sent<'a>, brief: Brief<'a>) -> Self {
        Self { seat: sent.seat, outbox: sent.outbox, brief }
    }

    /// Sends a message to this socket alone.
    pub fn answer<M: Message + Serialize>(&self, message: &M) {
        self.outbox.push(Frame::of(message));
    }
}

impl Deref for Sender<'_> {
    type Target = Seat;
    fn deref(&self) -> &Seat {
        self.seat
    }
}
