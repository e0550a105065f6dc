//! The loop of one socket in its room: it reads and writes in turn, in one task.

use std::borrow::Cow;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{Instrument, Span};

use super::head::Head;
use super::input::{Broken, ClientMessage};
use super::pace::RateVerdict;
use super::pulse::Beat;
use super::rooms::{Call, Channel, Frame};
use super::sender::{DeclaredFrame, FrameHandlers, Sent};
use super::state::{End, Malformed, Said, Session, note_pong};
use super::{Say, Socket};
use crate::Kind;
use crate::bus::{Owner, Pending, guard, report_panic};
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
enum Wake {
    Filled,
    Received(Option<Result<ClientMessage, Broken>>),
    Alarm,
}

impl<S: Socket> Session<S> {
    /// Sends the first frames, and catches up. A ping at the end measures the round trip.
    async fn begin(&mut self) -> Result<(), End> {
        self.member.outbox.say(std::mem::take(&mut self.greeting));
        let cause = self.cause.clone();
        self.catch_up(&cause).await?;
        self.member.outbox.say(vec![self.pulse.ping()]);
        self.flush().await
    }

    /// Reads and writes in turn, until the socket ends.
    pub(super) async fn converse(&mut self) -> End {
        if let Err(end) = Box::pin(self.begin()).await {
            return end;
        }
        loop {
            self.set_alarm();
            let done = match std::future::poll_fn(|context| self.poll_step(context)).await {
                Wake::Filled => self.answer().await,
                Wake::Received(message) => self.read(message).await,
                Wake::Alarm => Box::pin(self.alarm()).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Wake> {
        if self.member.outbox.poll_filled(context).is_ready() {
            return Poll::Ready(Wake::Filled);
        }
        if let Some(alarm) = &mut self.alarm
            && alarm.as_mut().poll(context).is_ready()
        {
            self.alarm = None;
            return Poll::Ready(Wake::Alarm);
        }
        self.ws.poll_next(context).map(Wake::Received)
    }

    /// Sets the timer, if something is due at some time.
    fn set_alarm(&mut self) {
        let due = self.last_call.into_iter().chain(self.owed).min();
        if self.alarm.as_ref().map(|it| it.deadline()) != due {
            self.alarm = due.map(|at| Box::pin(sleep_until(at)));
        }
    }

    /// Handles requests of other tasks, and writes the frames that they could not write.
    async fn answer(&mut self) -> Result<(), End> {
        let Call { wake, woken, close } = self.member.outbox.take_call();
        if wake {
            Box::pin(self.wake(&woken)).await?;
        }
        if self.member.outbox.take_beat() {
            Box::pin(self.beat()).await?;
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

    async fn read(&mut self, message: Option<Result<ClientMessage, Broken>>) -> Result<(), End> {
        let message = match message {
            None => return Err(End::Gone),
            Some(Err(broken)) => return Err(end_of(broken)),
            // The answer is sent in `farewell`.
            Some(Ok(ClientMessage::Close(_))) => return Err(End::Gone),
            Some(Ok(message)) => message,
        };
        let done = match self.pace.frame() {
            RateVerdict::Close => return Err(flood()),
            RateVerdict::Drop => {
                count::EXCESS_FRAMES.add(1);
                return Ok(());
            }
            RateVerdict::Take => match message {
                ClientMessage::Text(text) => {
                    let taken = self.handle_message(&text).await;
                    self.ws.recycle(text);
                    taken
                }
                ClientMessage::Pong(payload) => {
                    let took = note_pong(&mut self.pulse, &mut self.tracked, &payload);
                    let shortest = &mut self.seat.round_trip;
                    *shortest = took.into_iter().chain(*shortest).min();
                    Ok(())
                }
                ClientMessage::Ping(_) | ClientMessage::Close(_) => Ok(()),
                ClientMessage::Binary => Err(Malformed),
            },
        };
        match done {
            Ok(()) => Ok(()),
            Err(Malformed) => {
                count::MALFORMED_FRAMES.add(1);
                malformed_frame(S::CHANNEL.0, self.seat.socket);
                let enough = self.pace.malformed() == RateVerdict::Close;
                if enough { Err(Kind::MALFORMED_FRAMES.into()) } else { Ok(()) }
            }
        }
    }

    /// Handles a message of the client. Waits until its `Never` events are published.
    async fn handle_message(&mut self, text: &str) -> Result<(), Malformed> {
        let (seat, outbox, ground) = (&self.seat, &*self.member.outbox, self.cx.ground());
        let sent = Sent { seat, outbox, ground, text };
        let pending = dispatch(&self.cx, &self.sockets.frames, S::CHANNEL, &sent)?;
        if !pending.is_done() {
            pending.await;
        }
        Ok(())
    }

    async fn alarm(&mut self) -> Result<(), End> {
        if self.last_call.is_some_and(|at| at <= Instant::now()) {
            return Err(End::Close(1000, Cow::Borrowed("")));
        }
        if self.owed.take_if(|at| *at <= Instant::now()).is_some() {
            self.catch_up(&TraceContext::none()).await?;
        }
        self.flush().await
    }

    async fn beat(&mut self) -> Result<(), End> {
        // A pong may be unread if this task was busy.
        while let Some(message) = self.ws.next().now_or_never() {
            self.read(message).await?;
        }
        let Beat::Ping(ping) = self.pulse.next() else { return Err(End::Silent) };
        self.member.outbox.push(ping);
        // In case a wake-up was lost.
        self.catch_up(&TraceContext::none()).await
    }

    /// Sends what the client has not been told yet. Frames of other tasks follow after it.
    ///
    /// Runs in a span if it has a cause. Without one, as for heartbeats, there is a span only for what was found.
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
        let found = match frames.is_empty() || TraceContext::current().is_some() {
            true => Span::none(),
            false => socket_span("catch up", S::CHANNEL.0, self.seat.socket, &TraceContext::none()),
        };
        let born = |frame: Frame| frame.born(Born::in_span(Duration::ZERO));
        let frames = found.in_scope(|| frames.into_iter().map(born).collect());
        self.member.outbox.say(frames);
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
fn end_of(broken: Broken) -> End {
    match broken {
        Broken::TooLarge => Kind::PAYLOAD_TOO_LARGE.into(),
        Broken::NotUtf8 => Kind::INVALID_UTF8.into(),
        Broken::Protocol => Kind::PROTOCOL_ERROR.into(),
        Broken::Flood => flood(),
        Broken::Gone => End::Gone,
    }
}

/// The client exceeded its budget.
fn flood() -> End {
    count::FLOODING_SOCKETS.add(1);
    Kind::TOO_MANY_REQUESTS.into()
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
    let head = Head::of(text)?;
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
