//! The life of one socket, in one task: it opens, reads and writes in turn, and closes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt};
use salvo::websocket::{Message, WebSocket};
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::frames::{Malformed, dispatch};
use super::outbox::{Frame, Outbox, Waiting};
use super::pace::{Pace, Verdict};
use super::pulse::{Beat, Pulse};
use super::room::{Member, Seat};
use super::{Opening, Say, Socket};
use crate::Kind;
use crate::bus::{Emits, guard};
use crate::module::Cx;
use crate::telemetry::{TraceContext, count, socket_span};

/// A client that does not take a frame for so long is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client has to answer our close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The client did not answer any more, rather than close or reset the connection.
    pub silent: bool,
    /// What is known of the words that [`Say::tracked`] asked to follow, if there were such.
    pub said: Option<Said>,
}

/// What is known of words that were followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// They could not be written.
    Unwritten,
    /// They were written.
    Written,
    /// The client answered a ping that was sent behind them: they arrived.
    Answered,
}

/// Why the loop of a session ended.
enum End {
    /// The client closed it, or the connection broke.
    Gone,
    /// The client does not answer.
    Silent,
    /// We close it, with this code and reason.
    Close(u16, &'static str),
}

impl From<Kind> for End {
    fn from(kind: Kind) -> Self {
        Self::Close(kind.close, kind.code)
    }
}

/// What can happen to a socket.
enum Step {
    Filled,
    Received(Option<Result<Message, salvo::Error>>),
    Beat,
}

/// Runs a socket from its handshake to its end.
///
/// What happens once in a socket's life is boxed: an idle socket holds the state of its loop, and not
/// the room that opening and closing need.
pub(super) async fn run<S: Socket>(
    ws: WebSocket,
    socket: S,
    cx: Cx,
    number: u64,
    cause: TraceContext,
) {
    count::SOCKETS_OPENED.add(1);
    if let Some(mut session) = Box::pin(open(ws, socket, cx, number, cause)).await {
        let end = session.converse().await;
        Box::pin(session.end(end)).await;
    }
    count::SOCKETS_CLOSED.add(1);
}

/// Lets the socket take its seat, and enter its room.
async fn open<S: Socket>(
    mut ws: WebSocket,
    mut socket: S,
    cx: Cx,
    number: u64,
    cause: TraceContext,
) -> Option<Box<Session<S>>> {
    let span = socket_span("open", S::CHANNEL.0, number, &cause);
    match guard(cx.module(), "open", socket.open(&cx)).instrument(span).await {
        Ok(opening) => {
            let (session, emits) = Session::new(ws, socket, cx, number, cause, opening);
            emits.publish(session.cx.bus()).await;
            Some(Box::new(session))
        }
        Err(error) => {
            farewell(&mut ws, error.kind().into(), |_| {}).await;
            None
        }
    }
}

struct Session<S> {
    ws: WebSocket,
    socket: S,
    cx: Cx,
    cause: TraceContext,
    seat: Seat,
    member: Arc<Member>,
    pace: Pace,
    pulse: Pulse,
    /// What became of tracked words, and the stamp of the ping behind them.
    tracked: Option<(Said, u64)>,
    /// When the server closes the socket, if it has said so.
    last_call: Option<Instant>,
    greeting: Vec<Frame>,
}

impl<S: Socket> Session<S> {
    fn new(
        ws: WebSocket,
        socket: S,
        cx: Cx,
        number: u64,
        cause: TraceContext,
        opening: Opening<S::Emits>,
    ) -> (Self, S::Emits) {
        let Opening { game, user, text, greeting, emits } = opening;
        let limits = &cx.settings().limits;
        let outbox = Outbox::default();
        let member = Arc::new(Member { socket: number, user: user.clone(), outbox });
        let room = cx.rooms().enter(S::CHANNEL, game, &member, limits.sockets_per_player);
        let seat = Seat { game, user, socket: number, text, room };
        if cx.parts().stop.is_cancelled() {
            member.outbox.close(Kind::RESTARTING);
        }
        let (pace, pulse) = (Pace::new(limits.frames_per_second), Pulse::new(limits.heartbeat));
        let (tracked, last_call) = (None, None);
        let session =
            Self { ws, socket, cx, cause, seat, member, pace, pulse, tracked, last_call, greeting };
        (session, emits)
    }

    /// Out of the room, and closed.
    async fn end(mut self: Box<Self>, end: End) {
        self.cx.rooms().leave(S::CHANNEL, &self.seat);
        let silent = matches!(end, End::Silent);
        let farewell = farewell(&mut self.ws, end, |pong| {
            // What the client still answers tells what has reached it.
            note_pong(&mut self.pulse, &mut self.tracked, pong);
        });
        farewell.await;
        let Self { socket, cx, cause, seat, tracked, .. } = *self;
        let ending = Ending { silent, said: tracked.map(|(said, _)| said) };
        let span = socket_span("close", S::CHANNEL.0, seat.socket, &cause);
        let closed = async {
            let closed = guard(cx.module(), "close", socket.closed(&cx, &seat, &ending)).await;
            match closed {
                Ok(emits) => emits.publish(cx.bus()).await,
                Err(error) => {
                    tracing::error!(module = cx.module(), %error, "socket not closed well")
                }
            }
        };
        closed.instrument(span).await;
    }

    /// The greeting, what the client has missed, and a first ping that measures the way.
    async fn begin(&mut self) -> Result<(), End> {
        for frame in std::mem::take(&mut self.greeting) {
            self.feed(frame.0).await?;
        }
        self.catch_up().await?;
        let ping = self.pulse.ping();
        self.feed(ping).await?;
        self.flush().await
    }

    async fn converse(&mut self) -> End {
        if let Err(end) = Box::pin(self.begin()).await {
            return end;
        }
        let mut waiting = Waiting::default();
        loop {
            let step = tokio::select! {
                () = self.member.outbox.filled() => Step::Filled,
                message = self.ws.recv() => Step::Received(message),
                () = self.pulse.beat(self.last_call) => Step::Beat,
            };
            let done = match step {
                Step::Filled => self.write(&mut waiting).await,
                Step::Received(message) => self.read(message).await,
                Step::Beat => self.beat().await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Writes all that waits in the outbox, in one go.
    async fn write(&mut self, waiting: &mut Waiting) -> Result<(), End> {
        self.member.outbox.take(waiting);
        if waiting.wake {
            Box::pin(self.wake()).await?;
        }
        for waits in waiting.frames.drain(..) {
            self.feed(waits.frame.0).await?;
        }
        self.flush().await?;
        waiting.close.map_or(Ok(()), |why| Err(why.into()))
    }

    /// The room was woken. First what has come from the client: who is just leaving is told nothing.
    async fn wake(&mut self) -> Result<(), End> {
        while let Some(message) = self.ws.recv().now_or_never() {
            self.read(message).await?;
        }
        self.catch_up().await
    }

    async fn read(&mut self, message: Option<Result<Message, salvo::Error>>) -> Result<(), End> {
        let message = match message {
            None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(&error)),
            Some(Ok(message)) => message,
        };
        if message.is_close() {
            // The reply goes out while the rest is read, in `farewell`.
            return Err(End::Gone);
        }
        let done = match self.pace.frame() {
            Verdict::Close => return Err(Kind::TOO_MANY_REQUESTS.into()),
            Verdict::Drop => {
                count::EXCESS_FRAMES.add(1);
                return Ok(());
            }
            Verdict::Take if message.is_pong() => {
                note_pong(&mut self.pulse, &mut self.tracked, &message);
                return Ok(());
            }
            Verdict::Take if message.is_ping() => return Ok(()),
            Verdict::Take => self.take(&message).await,
        };
        match done {
            Ok(()) => Ok(()),
            Err(Malformed) => {
                count::MALFORMED_FRAMES.add(1);
                let enough = self.pace.malformed() == Verdict::Close;
                if enough { Err(Kind::MALFORMED_FRAMES.into()) } else { Ok(()) }
            }
        }
    }

    /// A message of the client. What it publishes that may not be lost is waited for.
    async fn take(&mut self, message: &Message) -> Result<(), Malformed> {
        let text = message.as_str().map_err(|_| Malformed)?;
        let pending = dispatch(self.cx.parts(), S::CHANNEL, &self.seat, text)?;
        if !pending.is_done() {
            pending.await;
        }
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), End> {
        if self.last_call.is_some_and(|at| at <= Instant::now()) {
            return Err(End::Close(1000, ""));
        }
        let Beat::Ping(ping) = self.pulse.next() else { return Err(End::Silent) };
        self.feed(ping).await?;
        self.flush().await?;
        // In case a wake was lost: what must not be missed is state.
        Box::pin(self.catch_up()).await?;
        self.flush().await
    }

    async fn catch_up(&mut self) -> Result<(), End> {
        let (module, cx) = (self.cx.module(), self.cx.clone());
        let say = guard(module, "catch up", self.socket.catch_up(&cx, &self.seat)).await;
        let Say { frames, tracked, close } = say.map_err(|error| End::from(error.kind()))?;
        if tracked {
            self.tracked = Some((Said::Unwritten, u64::MAX));
        }
        for frame in frames {
            self.feed(frame.0).await?;
        }
        if tracked {
            let ping = self.pulse.ping();
            self.feed(ping).await?;
            self.flush().await?;
            self.tracked = Some((Said::Written, self.pulse.stamp()));
        }
        match close {
            Some((patience, None)) => self.last_call = Some(Instant::now() + patience),
            Some((_, Some(kind))) => return Err(kind.into()),
            None => {}
        }
        Ok(())
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        patiently(self.ws.feed(message)).await
    }

    async fn flush(&mut self) -> Result<(), End> {
        patiently(self.ws.flush()).await
    }
}

/// A pong has come: what was said before its ping has arrived.
fn note_pong(pulse: &mut Pulse, tracked: &mut Option<(Said, u64)>, pong: &Message) {
    let stamp = pulse.pong(pong.as_bytes());
    if let (Some(stamp), Some((said, behind))) = (stamp, tracked)
        && stamp >= *behind
    {
        *said = Said::Answered;
    }
}

/// Waits for a write, but not for ever. Mostly it is done at once, and no timer is set.
async fn patiently(write: impl Future<Output = Result<(), salvo::Error>>) -> Result<(), End> {
    let mut write = std::pin::pin!(write);
    let written = match write.as_mut().now_or_never() {
        Some(written) => written,
        None => Box::pin(timeout(WRITE_PATIENCE, write)).await.map_err(|_| {
            count::SLOW_SOCKETS.add(1);
            End::from(Kind::SLOW_READER)
        })?,
    };
    written.map_err(|_| End::Gone)
}

/// Too large a frame gets a code of its own; whatever else breaks is gone.
fn end_of(error: &salvo::Error) -> End {
    use tokio_tungstenite::tungstenite::Error as Inner;
    let salvo::Error::Other(inner) = error else { return End::Gone };
    match inner.downcast_ref() {
        Some(Inner::Capacity(_)) => Kind::PAYLOAD_TOO_LARGE.into(),
        _ => End::Gone,
    }
}

/// Closes the connection in the way that RFC 6455, section 7, asks for: our close frame, and the
/// client's; a client that does not answer is left. One that is silent is not waited for.
async fn farewell(ws: &mut WebSocket, end: End, mut pong: impl FnMut(&Message)) {
    let closing = async {
        match end {
            End::Close(code, reason) => ws.send(Message::close_with(code, reason)).await.ok()?,
            End::Gone => {}
            End::Silent => return None,
        }
        while let Some(received) = ws.recv().await {
            match received {
                Ok(message) if message.is_pong() => pong(&message),
                Ok(_) => {}
                // What cannot be read lies in the way. Left there, it would make the kernel reset the
                // connection before our close frame arrives.
                Err(_) if matches!(end, End::Close(..)) => std::future::pending().await,
                Err(_) => break,
            }
        }
        Some(())
    };
    let _ = timeout(CLOSE_PATIENCE, closing).await;
}
