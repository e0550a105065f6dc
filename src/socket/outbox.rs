//! The outbox of one socket: the frames on their way to its client.
//!
//! A frame is written at once, by the publisher itself, if nothing waits before it and the kernel takes it. So a keystroke
//! wakes no task of its receivers. What the kernel does not take waits for the task of the socket.
//!
//! What waits is bounded, with two policies. Positions: from [`CONFLATE_FROM`] waiting ones on, a player's newest
//! replaces the one before it; so there are never more than that plus one per player. Lifecycle
//! frames are never dropped: a client that leaves [`LIFECYCLE_LIMIT`] of them lying is closed with
//! `SLOW_READER`, which tells it to come back.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::net::tcp::OwnedWriteHalf;
use tokio_tungstenite::tungstenite::Bytes;

use super::Goodbye;
use super::frame::Frame;
use super::leaving::Client;
use crate::Kind;
use crate::game::UserId;
use crate::telemetry::{Born, count};

/// Waiting positions from which on a player's newest replaces the one before.
pub const CONFLATE_FROM: usize = 64;

/// Waiting lifecycle frames at which a client is given up.
pub const LIFECYCLE_LIMIT: usize = 256;

/// Frames given to the kernel in one call.
const AT_ONCE: usize = 32;

/// What waits for the socket's task.
#[derive(Debug, Default)]
struct Waiting {
    /// What is left of a frame that the kernel has taken a part of.
    rest: Bytes,
    /// Frames in the order in which they are written.
    frames: VecDeque<Waits>,
    positions: usize,
    /// How many of the first are what the socket itself says.
    said: usize,
    call: Call,
    /// The task is about to say something: until then nothing else is written.
    held: bool,
}

/// What the socket's task is asked to do.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// Look again at what the socket should have said.
    pub(super) wake: bool,
    /// When it was told so, and by which span.
    pub(super) woken: Born,
    /// Close the socket, and what its client is told.
    pub(super) close: Option<Goodbye>,
}

/// One frame in the outbox.
#[derive(Debug)]
struct Waits {
    frame: Frame,
    /// Whose position it is, if it is one.
    of: Option<Whose>,
}

/// Which of the frames that replace each other: those of one event, of one player.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whose {
    /// The name of the event.
    pub event: &'static str,
    /// The player, if the event is somebody's.
    pub player: Option<UserId>,
}

impl Waiting {
    /// Whether a frame that comes now is the next to be written.
    fn is_free(&self) -> bool {
        let is_called = self.call.wake || self.call.close.is_some();
        !self.held && !is_called && self.rest.is_empty() && self.frames.is_empty()
    }

    /// The kernel has taken so many bytes.
    fn advance(&mut self, mut written: usize, client: Option<&Client>) {
        let rest = written.min(self.rest.len());
        drop(self.rest.split_to(rest));
        written -= rest;
        while written > 0 {
            let Some(Waits { frame, of }) = self.frames.pop_front() else { return };
            self.positions -= usize::from(of.is_some());
            self.said = self.said.saturating_sub(1);
            frame.is_written(client);
            let taken = written.min(frame.bytes().len());
            self.rest = frame.bytes().slice(taken..);
            written -= taken;
        }
    }
}

/// Written to by anybody; what waits in it is written by the socket's task.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The way to the client. Without one everything waits.
    connection: Option<OwnedWriteHalf>,
    /// Whose it is, once that is known.
    client: OnceLock<Client>,
    waiting: Mutex<Waiting>,
    // Whether the task has something to do, so that it can look without the lock.
    filled: AtomicBool,
    closing: AtomicBool,
    task: AtomicWaker,
}

impl Outbox {
    /// That of a new connection. It is held until the socket has said its first words.
    pub(super) fn of(connection: OwnedWriteHalf) -> Self {
        let waiting = Waiting { held: true, ..Waiting::default() };
        Self { connection: Some(connection), waiting: Mutex::new(waiting), ..Self::default() }
    }

    /// It is this client's.
    pub(super) fn belongs_to(&self, client: Client) {
        // A socket has one seat.
        let _ = self.client.set(client);
    }

    /// Adds a lifecycle frame.
    pub fn push(&self, frame: Frame) {
        let mut waiting = self.waiting.lock();
        if self.write_at_once(&mut waiting, &frame) {
            return;
        }
        if waiting.frames.len() - waiting.positions >= LIFECYCLE_LIMIT {
            waiting.frames.clear();
            (waiting.positions, waiting.said) = (0, 0);
            waiting.call.close = Some(Kind::SLOW_READER.into());
            self.closing.store(true, Ordering::Release);
        } else {
            waiting.frames.push_back(Waits { frame, of: None });
        }
        drop(waiting);
        self.notify();
    }

    /// Adds a position, or replaces the last one that is as much `whose` if too many wait.
    pub fn push_position(&self, whose: &Whose, frame: Frame) {
        let mut waiting = self.waiting.lock();
        if self.write_at_once(&mut waiting, &frame) {
            return;
        }
        if waiting.positions >= CONFLATE_FROM
            && let Some(last) = waiting.frames.iter_mut().rfind(|it| it.of.as_ref() == Some(whose))
        {
            last.frame = frame;
            count::CONFLATED_FRAMES.add(1);
            return;
        }
        waiting.positions += 1;
        waiting.frames.push_back(Waits { frame, of: Some(whose.clone()) });
        drop(waiting);
        self.notify();
    }

    /// Whether the frame is on its way: nothing waits before it, and the kernel has taken it, or a part of it.
    fn write_at_once(&self, waiting: &mut Waiting, frame: &Frame) -> bool {
        let Some(connection) = self.connection.as_ref().filter(|_| waiting.is_free()) else {
            return false;
        };
        // A connection that is broken is noticed by the task, which finds the frame waiting.
        let Ok(written) = connection.try_write(frame.bytes()) else { return false };
        frame.is_written(self.client.get());
        if written < frame.bytes().len() {
            waiting.rest = frame.bytes().slice(written..);
            self.notify();
        }
        true
    }

    /// Has the socket look again at what it should have said.
    pub fn wake(&self) {
        self.wake_by(&Born::default());
    }

    /// The same, where a span is known that has led to it.
    pub(super) fn wake_by(&self, woken: &Born) {
        let mut waiting = self.waiting.lock();
        waiting.call.wake = true;
        if !waiting.call.woken.is_noted() {
            waiting.call.woken = woken.clone();
        }
        drop(waiting);
        self.notify();
    }

    /// Has the socket closed, unless it is being closed already.
    pub fn close(&self, goodbye: impl Into<Goodbye>) {
        if !self.closing.swap(true, Ordering::AcqRel) {
            self.waiting.lock().call.close = Some(goodbye.into());
            self.notify();
        }
    }

    /// Whether the socket has been told to close.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn notify(&self) {
        self.filled.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// What only the socket's own task may do.
impl Outbox {
    /// Waits until there is something to do.
    pub(super) async fn filled(&self) {
        std::future::poll_fn(|context| {
            if self.filled.load(Ordering::Acquire) {
                return Poll::Ready(());
            }
            self.task.register(context.waker());
            if self.filled.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// What the task was asked to do beside writing.
    pub(super) fn take_call(&self) -> Call {
        self.filled.store(false, Ordering::Release);
        std::mem::take(&mut self.waiting.lock().call)
    }

    /// The socket is about to say something: until [`release`](Self::release) nothing else is written.
    pub(super) fn hold(&self) {
        self.waiting.lock().held = true;
    }

    /// The socket has said it.
    pub(super) fn release(&self) {
        self.waiting.lock().held = false;
    }

    /// What the socket itself says comes before all else that waits.
    pub(super) fn say(&self, frames: Vec<Frame>) {
        let mut waiting = self.waiting.lock();
        for frame in frames {
            let next = waiting.said;
            waiting.frames.insert(next, Waits { frame, of: None });
            waiting.said += 1;
        }
    }

    /// Writes all that waits. From then on frames are written at once again.
    ///
    /// # Errors
    /// That of the connection.
    pub(super) async fn flush(&self) -> io::Result<()> {
        self.release();
        let depth = self.waiting.lock().frames.len();
        if depth > 0 {
            count::OUTBOX_DEPTH.note(depth as f64);
        }
        std::future::poll_fn(|context| self.poll_flush(context)).await
    }

    /// Writes all that may be written.
    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(connection) = &self.connection else { return Poll::Ready(Ok(())) };
        loop {
            match self.write_waiting(connection) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(connection.as_ref().poll_write_ready(context))?;
        }
    }

    fn write_waiting(&self, connection: &OwnedWriteHalf) -> io::Result<()> {
        let mut waiting = self.waiting.lock();
        while !waiting.held {
            let rest = Some(&waiting.rest).filter(|rest| !rest.is_empty());
            let frames = waiting.frames.iter().map(|it| it.frame.bytes());
            let bytes: Vec<_> =
                rest.into_iter().chain(frames).take(AT_ONCE).map(|it| IoSlice::new(it)).collect();
            if bytes.is_empty() {
                break;
            }
            let written = connection.try_write_vectored(&bytes)?;
            waiting.advance(written, self.client.get());
        }
        Ok(())
    }

    /// Says that nothing more will be written.
    pub(super) fn shut_down(&self) {
        if let Some(connection) = &self.connection {
            let _ = rustix::net::shutdown(connection.as_ref(), rustix::net::Shutdown::Write);
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Outbox {
    /// The texts of all that waits.
    pub(super) fn take_texts(&self) -> Vec<String> {
        let mut waiting = self.waiting.lock();
        waiting.positions = 0;
        waiting.frames.drain(..).map(|it| it.frame.text().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests;
