//! The loop of one socket in its room: it reads and writes in turn, in one task.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error as Broken, Message};
use tracing::Instrument;

use super::meter::Flood;
use super::pace::Verdict;
use super::pulse::Beat;
use super::rooms::{Call, Channel, Frame};
use super::sender::{DeclaredFrame, FrameHandlers, Sent};
use super::state::{End, Malformed, Said, Session, note_pong};
use super::{Say, Socket};
use crate::Kind;
use crate::bus::{Owner, Pending, guard, report_panic};
use crate::http::edge::lenient;
use crate::module::context::Cx;
use crate::telemetry::{
    Born, FrameStart, TraceContext, count, frame_panicked, frame_span, malformed_frame,
    mark_failed, panics, socket_span, span_failed,
};

/// A socket whose client accepts no bytes for this long is closed.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// Pause before the next attempt to catch up, if the live state did not answer.
const ASKED_AGAIN: Duration = Duration::from_secs(1);

/// What the loop waits for.
enum Step {
    Filled,
    Received(Option<Result<Message, Broken>>),
    Beat,
}

impl<S: Socket> Session<S> {
    /// Sends the first frames, and catches up.
    async fn begin(&mut self) -> Result<(), End> {
        self.member.outbox.say(std::mem::take(&mut self.greeting));
        let cause = self.cause.clone();
        self.catch_up(&cause).await?;
        self.flush().await
    }

    /// Reads and writes in turn, until the socket ends.
    pub(super) async fn converse(&mut self) -> End {
        if let Err(end) = Box::pin(self.begin()).await {
            return end;
        }
        loop {
            let step = tokio::select! {
                () = self.member.outbox.filled() => Step::Filled,
                message = self.ws.next() => Step::Received(message),
                () = self.pulse.beat(self.last_call.into_iter().chain(self.owed).min()) => Step::Beat,
            };
            let done = match step {
                Step::Filled => self.answer().await,
                Step::Received(message) => self.read(message).await,
                Step::Beat => Box::pin(self.beat()).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Handles requests of other tasks, and writes the frames that they could not write.
    async fn answer(&mut self) -> Result<(), End> {
        let Call { wake, woken, close } = self.member.outbox.take_call();
        if wake {
            Box::pin(self.wake(&woken)).await?;
        }
        self.flush().await?;
        close.map_or(Ok(()), |why| Err(why.into()))
    }

    /// The room was woken. Reads pending input first, so that a client that is just leaving is told nothing.
    async fn wake(&mut self, woken: &Born) -> Result<(), End> {
        while let Some(message) = self.ws.next().now_or_never() {
            self.read(message).await?;
        }
        self.catch_up(woken.cause().unwrap_or(&TraceContext::none())).await
    }

    async fn read(&mut self, message: Option<Result<Message, Broken>>) -> Result<(), End> {
        let message = match message {
            None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(&error)),
            Some(Ok(message)) => message,
        };
        if message.is_close() {
            // The reply is sent while the rest is read, in `farewell`.
            return Err(End::Gone);
        }
        let done = match self.pace.frame() {
            Verdict::Close => return Err(flood()),
            Verdict::Drop => {
                count::EXCESS_FRAMES.add(1);
                return Ok(());
            }
            Verdict::Take => match message {
                Message::Text(text) => self.take(&text).await,
                Message::Pong(payload) => {
                    note_pong(&mut self.pulse, &mut self.tracked, &payload);
                    Ok(())
                }
                Message::Ping(_) => Ok(()),
                _ => Err(Malformed),
            },
        };
        match done {
            Ok(()) => Ok(()),
            Err(Malformed) => {
                count::MALFORMED_FRAMES.add(1);
                malformed_frame(S::CHANNEL.0, self.seat.socket);
                let enough = self.pace.malformed() == Verdict::Close;
                if enough { Err(Kind::MALFORMED_FRAMES.into()) } else { Ok(()) }
            }
        }
    }

    /// Handles a message of the client. Waits until its `Never` events are published.
    async fn take(&mut self, text: &str) -> Result<(), Malformed> {
        let (seat, outbox, ground) = (&self.seat, &*self.member.outbox, self.cx.ground());
        let sent = Sent { seat, outbox, ground, text };
        let pending = dispatch(&self.cx, &self.sockets.frames, S::CHANNEL, &sent)?;
        if !pending.is_done() {
            pending.await;
        }
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), End> {
        if self.last_call.is_some_and(|at| at <= Instant::now()) {
            return Err(End::Close(1000, Cow::Borrowed("")));
        }
        if self.owed.take_if(|at| *at <= Instant::now()).is_some() {
            self.catch_up(&TraceContext::none()).await?;
            return self.flush().await;
        }
        // A pong may be unread if this task was busy.
        while let Some(message) = self.ws.next().now_or_never() {
            self.read(message).await?;
        }
        let Beat::Ping(ping) = self.pulse.next() else { return Err(End::Silent) };
        self.member.outbox.push(ping);
        // In case a wake-up was lost.
        self.catch_up(&TraceContext::none()).await?;
        self.flush().await
    }

    /// Sends what the client has not been told yet. Frames of other tasks follow after it.
    ///
    /// Runs in a span if it has a cause: heartbeats, which rarely find anything, have none.
    async fn catch_up(&mut self, cause: &TraceContext) -> Result<(), End> {
        if !cause.is_some() {
            return self.say_what_is_missing().await;
        }
        let span = socket_span("catch up", S::CHANNEL.0, self.seat.socket, cause);
        Box::pin(self.say_what_is_missing()).instrument(span).await
    }

    async fn say_what_is_missing(&mut self) -> Result<(), End> {
        self.member.outbox.hold();
        let cx = self.cx.clone();
        let say = guard(&cx, "catch up", self.socket.catch_up(&cx, &self.seat)).await;
        let Say { frames, tracked, close } = match say {
            Ok(say) => say,
            // The live state will recover, and other pods lack it as well.
            Err(error) if error.kind() == Kind::UNAVAILABLE => {
                self.owed = Some(Instant::now() + ASKED_AGAIN);
                return Ok(());
            }
            Err(error) => {
                span_failed(error.kind());
                return Err(error.kind().into());
            }
        };
        self.owed = None;
        if tracked {
            self.tracked = Some((Said::Unwritten, u64::MAX));
        }
        let born = |frame: Frame| frame.born(Born::in_span(Duration::ZERO));
        self.member.outbox.say(frames.into_iter().map(born).collect());
        if tracked {
            self.member.outbox.say(vec![self.pulse.ping()]);
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

    /// Writes all waiting frames, with a timeout. Usually that completes at once, and no timer is set.
    async fn flush(&mut self) -> Result<(), End> {
        let mut flushed = std::pin::pin!(self.member.outbox.flush());
        let flushed = match flushed.as_mut().now_or_never() {
            Some(flushed) => flushed,
            None => Box::pin(timeout(WRITE_PATIENCE, flushed)).await.map_err(|_| {
                count::SLOW_SOCKETS.add(1);
                End::from(Kind::SLOW_READER)
            })?,
        };
        flushed.map_err(|_| End::Gone)
    }
}

/// The close code for a read error; a broken connection is gone.
fn end_of(error: &Broken) -> End {
    match error {
        Broken::Capacity(_) => Kind::PAYLOAD_TOO_LARGE.into(),
        Broken::Utf8(_) => Kind::INVALID_UTF8.into(),
        Broken::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Broken::Protocol(_) | Broken::AttackAttempt => Kind::PROTOCOL_ERROR.into(),
        Broken::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Flood>()) => flood(),
        _ => End::Gone,
    }
}

/// The client exceeded its budget.
fn flood() -> End {
    count::FLOODING_SOCKETS.add(1);
    Kind::TOO_MANY_REQUESTS.into()
}

/// The fields of every message. `game_id` is required, but not trusted.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(rename = "game_id", deserialize_with = "lenient::integer")]
    _game: i64,
    /// W3C Trace Context, if the client sends it.
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
}

/// A frame with its handler.
pub(super) struct Addressed<'a> {
    event: &'static str,
    pub(super) frame: &'a DeclaredFrame,
    traceparent: Option<Cow<'a, str>>,
}

/// Parses the common fields of a message, and finds the handler declared for it.
pub(super) fn address<'a>(
    frames: &'a FrameHandlers,
    channel: Channel,
    text: &'a str,
) -> Result<Addressed<'a>, Malformed> {
    let head: Head<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
    let frames = frames.get(&channel).ok_or(Malformed)?;
    let (event, frame) = frames.get_key_value(&*head.event).ok_or(Malformed)?;
    Ok(Addressed { event, frame, traceparent: head.traceparent })
}

/// Passes a frame to its handler. A panic is logged, and the frame dropped. A frame that is sampled, or has a trace
/// context, is handled in a span.
fn dispatch(
    cx: &Cx,
    frames: &FrameHandlers,
    channel: Channel,
    sent: &Sent<'_>,
) -> Result<Pending, Malformed> {
    let addressed = address(frames, channel, sent.text)?;
    let Addressed { event, frame, ref traceparent } = addressed;
    let (seat, switch) = (sent.seat, &*frame.switch);
    if !switch.takes(event) {
        return Ok(Pending::DONE);
    }
    if frame.rate.is_some_and(|rate| !seat.kept.rates.spend(event, rate)) {
        count::EXCESS_FRAMES.add(1);
        return Ok(Pending::DONE);
    }
    let (module, traceparent) = (switch.module(), traceparent.as_deref());
    let start = FrameStart { event, module, channel: channel.0, socket: seat.socket, traceparent };
    let span = frame_span(&start, cx.settings().telemetry.keystroke_sample);
    let entered = span.enter();
    let handled = panics::catch(|| (frame.handler)(cx.bus(), sent));
    let handled = handled.unwrap_or_else(|caught| {
        report_panic(switch, event, &caught);
        if span.is_none() {
            frame_panicked(event, channel.0, seat.socket);
        }
        Ok(Pending::DONE)
    });
    drop(entered);
    match handled {
        Ok(pending) => Ok(pending.within(span)),
        Err(Malformed) => {
            mark_failed(&span, "malformed");
            Err(Malformed)
        }
    }
}
