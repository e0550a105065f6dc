//! The messages of clients, as far as all sockets have them in common, and numbers as the contract
//! takes them.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Deserialize;

use super::room::Seat;
use crate::bus::{Bus, Pending, report_panic};
use crate::http::lenient;
use crate::module::FrameHandlers;

/// A frame that is no valid message: it is counted and dropped, and the socket stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What every message has. `game_id` must be there, but is not believed.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    #[serde(rename = "game_id", deserialize_with = "lenient::integer")]
    _game: i64,
    /// W3C Trace Context, if the client traces.
    #[serde(borrow, default)]
    pub(super) traceparent: Option<Cow<'a, str>>,
}

impl<'a> Head<'a> {
    pub(super) fn of(text: &'a str) -> Result<Self, Malformed> {
        serde_json::from_str(text).map_err(|_| Malformed)
    }
}

/// Gives a frame to the handler that is declared for it. A panic in there is logged, and the frame
/// dropped.
pub(super) fn dispatch(
    frames: &FrameHandlers,
    bus: &Arc<Bus>,
    channel: super::Channel,
    seat: &Seat,
    event: &str,
    text: &str,
) -> Result<Pending, Malformed> {
    let handler = frames.get(&channel).and_then(|frames| frames.get(event)).ok_or(Malformed)?;
    let handled = catch_unwind(AssertUnwindSafe(|| handler(bus, seat, text)));
    handled.unwrap_or_else(|panic| {
        report_panic(channel.0, "frame", &*panic);
        Ok(Pending::DONE)
    })
}
