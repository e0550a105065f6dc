//! The state of a session, and how one ends: what its loop (`session`) and its beginning and end (`life`) share.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::pace::Pace;
use super::pulse::Pulse;
use super::rooms::{Frame, Goodbye, Member, Seat};
use super::sender::FrameHandlers;
use super::websocket::WebSocket;
use crate::Kind;
use crate::bridge::Bridge;
use crate::module::context::Cx;
use crate::telemetry::TraceContext;

/// What all sockets of this pod share, besides their contexts.
pub(crate) struct Sockets {
    pub(crate) frames: FrameHandlers,
    /// The bridge to the other pods, if there are any.
    pub(crate) bridge: Option<Arc<Bridge>>,
}

/// What a socket is run with.
#[derive(Clone)]
pub(super) struct Base {
    pub(super) cx: Cx,
    pub(super) sockets: Arc<Sockets>,
}

/// A frame that is not a valid message: it is counted and dropped; the socket stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A socket in its room.
pub(super) struct Session<S> {
    pub(super) ws: WebSocket,
    pub(super) socket: S,
    pub(super) cx: Cx,
    pub(super) sockets: Arc<Sockets>,
    pub(super) cause: TraceContext,
    pub(super) seat: Seat,
    pub(super) member: Arc<Member>,
    pub(super) pace: Pace,
    pub(super) pulse: Pulse,
    /// The delivery state of tracked frames, and the stamp of the ping sent after them.
    pub(super) tracked: Option<(Said, u64)>,
    /// When the server will close the socket, if that is set.
    pub(super) last_call: Option<Instant>,
    /// When to catch up again, since the live state did not answer.
    pub(super) owed: Option<Instant>,
    /// The timer of these two. Most sockets have none: heartbeats come from a timer of all.
    pub(super) alarm: Option<Pin<Box<Sleep>>>,
    pub(super) greeting: Vec<Frame>,
}

/// Why the loop of a session ended.
pub(super) enum End {
    /// The client closed it, or the connection broke.
    Gone,
    /// The client stopped responding.
    Silent,
    /// The server closes it, with this code and reason.
    Close(u16, Cow<'static, str>),
}

impl From<Goodbye> for End {
    fn from(goodbye: Goodbye) -> Self {
        Self::Close(goodbye.kind.close, goodbye.reason())
    }
}

impl From<Kind> for End {
    fn from(kind: Kind) -> Self {
        Goodbye::from(kind).into()
    }
}

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The client stopped responding, rather than close or reset the connection.
    pub silent: bool,
    /// The delivery state of the tracked frames ([`Say::tracked`](super::Say::tracked)), if there were any.
    pub said: Option<Said>,
}

/// The delivery state of tracked frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// They could not be written.
    Unwritten,
    /// They were written.
    Written,
    /// The client answered a ping that was sent after them, so they arrived.
    Answered,
}

/// Handles a pong: frames before its ping have arrived. Returns the time since the ping.
pub(super) fn note_pong(
    pulse: &mut Pulse,
    tracked: &mut Option<(Said, u64)>,
    pong: &[u8],
) -> Option<Duration> {
    let (stamp, took) = pulse.pong(pong)?;
    if let Some((said, behind)) = tracked
        && stamp >= *behind
    {
        *said = Said::Answered;
    }
    Some(took)
}
