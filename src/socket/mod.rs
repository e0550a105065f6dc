//! WebSockets: one task per socket, rooms of players, bounded outboxes.
//!
//! A handler module declares a [`Socket`]; this directory does the rest: the handshake (`upgrade`), the one task
//! (`life` opens and closes it, `session` is its loop, `state` is shared by both), the frames on their way to its client,
//! and the sockets of one game (both in `rooms`, which is below the context of modules). `websocket` reads frames, `input` parses them.

#[doc(hidden)]
pub mod bench;
mod census;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod head;
mod input;
mod life;
mod pace;
mod pulse;
pub(crate) mod rooms;
mod sender;
mod session;
mod state;
mod upgrade;
mod websocket;

use std::time::Duration;

pub use self::rooms::{
    CONFLATE_FROM, Channel, Frame, Goodbye, LIFECYCLE_LIMIT, LOBBY, Member, Message, MessageInfo,
    Messages, Newest, Outbox, RACE, Room, Rooms, Seat, SocketsOf, TICK, Whose,
};
pub use crate::http::edge::Gcra;
pub use pace::Pace;
pub use sender::Sender;
pub use state::{Ending, Malformed, Said};
pub use upgrade::{Handshake, SocketRoute};

pub(crate) use sender::{DeclaredFrame, FrameHandler, FrameHandlers};
pub(crate) use state::Sockets;

use salvo::oapi::Parameter;

use crate::bus::Emits;
use crate::game::{GameId, LoginId, UserId};
use crate::module::context::Cx;
use crate::{Error, Kind};
use census::CountedSocket;

/// A kind of socket, as a handler module declares it. The socket's own task calls its functions, one at a time; while
/// one runs, nothing is read or written.
pub trait Socket: Sized + Send + 'static {
    /// Its path, without a trailing slash.
    const PATH: &'static str;
    /// Its channel.
    const CHANNEL: Channel;
    /// One sentence for the documentation page.
    const ABOUT: &'static str;
    /// The sub-protocols that it speaks, besides the one without a name. Of those that a client asks for, the first that is one
    /// of them is chosen: [`Handshake::protocol`].
    const PROTOCOLS: &'static [&'static str] = &[];
    /// Those whose clients take several messages in one frame, as a JSON array: positions that are written together.
    const JOINED: &'static [&'static str] = &[];
    /// For the documentation: the errors of `admit`, in addition to `VALIDATION_ERROR`.
    const REFUSES: &'static [Kind] = &[];
    /// The events that it may publish when it opens and closes.
    type Emits: Emits;
    /// The messages that it sends by itself, when it opens and when it catches up.
    type Says: Messages;
    /// What its room keeps for a player as long as the room exists: [`Seat::own`]. All sockets of the player share it. A
    /// socket without a seat has one of its own.
    type Own: Default + Send + Sync;

    /// The parameters of its query, for the documentation.
    fn query() -> Vec<Parameter> {
        Vec::new()
    }

    /// Called before the handshake is answered. An error refuses the socket, as an HTTP answer. Must change nothing,
    /// since the client may still disconnect.
    fn admit(
        cx: &Cx,
        handshake: &Handshake<'_>,
    ) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Called when the socket is open: takes its seat. An error closes it.
    fn open(&mut self, cx: &Cx)
    -> impl Future<Output = Result<Opening<Self::Emits>, Error>> + Send;

    /// Called once the socket is in its room, before any frame of its client is handled.
    fn seated(&mut self, _seat: &Seat) {}

    /// Returns what the client has not been told yet. Called once the socket is in its room, and whenever the room is
    /// woken. It reads the facts, so nothing can be missed.
    fn catch_up(&mut self, cx: &Cx, seat: &Seat)
    -> impl Future<Output = Result<Say, Error>> + Send;

    /// Called exactly once after a successful `open`, when the socket is closed, for whatever reason, and out of its
    /// room.
    fn closed(
        self,
        cx: &Cx,
        seat: &Seat,
        ending: &Ending,
    ) -> impl Future<Output = Result<Self::Emits, Error>> + Send;
}

/// The seat that a socket takes, and its first frames.
pub struct Opening<E> {
    /// In which game.
    pub game: GameId,
    /// The player; `None` for a socket without a seat. It is in the room of its channel and is shown what is shown there,
    /// but stands for no player: any number of them may come from one client, and no logout closes it.
    pub user: Option<UserId>,
    /// The login that it belongs to, if any; the socket closes when that ends.
    pub login: Option<LoginId>,
    /// Sent before anything else.
    pub greeting: Vec<Frame>,
    /// Published once the socket is in its room.
    pub emits: E,
}

/// What a socket sends when it catches up.
#[derive(Default)]
pub struct Say {
    pub(crate) frames: Vec<Frame>,
    pub(crate) tracked: bool,
    pub(crate) close: Option<(Duration, Option<Kind>)>,
}

impl Say {
    /// Nothing to send.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// One message.
    pub fn message(message: &(impl Message + serde::Serialize)) -> Self {
        Self { frames: vec![Frame::of(message)], ..Self::default() }
    }

    /// Several messages, in this order.
    pub fn frames(frames: Vec<Frame>) -> Self {
        Self { frames, ..Self::default() }
    }

    /// One message more.
    #[must_use]
    pub fn and(mut self, frame: Frame) -> Self {
        self.frames.push(frame);
        self
    }

    /// Tracks the delivery: [`Ending::said`] has its state.
    #[must_use]
    pub fn tracked(self) -> Self {
        Self { tracked: true, ..self }
    }

    /// If the client has not closed the socket after `patience`, the server closes it with code 1000.
    #[must_use]
    pub fn then_close(self, patience: Duration) -> Self {
        Self { close: Some((patience, None)), ..self }
    }

    /// Closes the socket at once.
    pub fn goodbye(kind: Kind) -> Self {
        Self { close: Some((Duration::ZERO, Some(kind))), ..Self::default() }
    }
}
