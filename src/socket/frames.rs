//! The frames of clients, as far as all sockets have them in common.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;

use super::room::Seat;
use crate::bus::{Pending, report_panic};
use crate::http::lenient;
use crate::module::Parts;
use crate::telemetry::frame_span;

/// A frame that is no valid message: it is counted and dropped, and the socket stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What every message has. `game_id` must be there, but is not believed.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(rename = "game_id", deserialize_with = "lenient::integer")]
    _game: i64,
    /// W3C Trace Context, if the client traces.
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
}

/// Gives a frame to the handler that is declared for it. A panic in there is logged, and the frame
/// dropped. A frame that is sampled, or says which trace it belongs to, is handled in a span.
pub(super) fn dispatch(
    parts: &Parts,
    channel: super::Channel,
    seat: &Seat,
    text: &str,
) -> Result<Pending, Malformed> {
    let head: Head<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
    let frames = parts.frames.get(&channel).ok_or(Malformed)?;
    let (event, (module, handler)) = frames.get_key_value(&*head.event).ok_or(Malformed)?;
    let sample = parts.settings.telemetry.keystroke_sample;
    let span = frame_span(event, seat.socket, sample, head.traceparent.as_deref());
    let handled =
        catch_unwind(AssertUnwindSafe(|| span.in_scope(|| handler(&parts.bus, seat, text))));
    handled.unwrap_or_else(|panic| {
        report_panic(module, event, &*panic);
        Ok(Pending::DONE)
    })
}
