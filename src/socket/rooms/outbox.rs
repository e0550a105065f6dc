//! The outbox of one socket: the frames on their way to its client.
//!
//! The publisher writes a frame directly, if no frame waits before it and the kernel accepts it. So a keystroke wakes
//! no task of its receivers. What the kernel does not accept waits for the socket's task.
//!
//! The outbox is bounded, with three policies. Positions: once [`CONFLATE_FROM`] wait, a player's newest replaces the one
//! before it, so there are never more than that plus one per player; of frames that are made once per tick only the newest
//! waits. Fleeting frames share that bound, and are dropped beyond it. Lifecycle frames are never dropped: a client that lets [`LIFECYCLE_LIMIT`] of them pile up is closed with
//! `SLOW_READER`, which tells it to reconnect.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use rustix::net::SendFlags;
use tokio::net::tcp::OwnedWriteHalf;

use super::Goodbye;
use super::frame::Frame;
use super::leaving::Recipient;
use super::whose::Whose;
use crate::Kind;
use crate::telemetry::{Born, count};

mod waiting;

pub(in crate::socket) use waiting::Call;
use waiting::{Waiting, Waits};

/// Waiting positions from which on a player's newest replaces the one before.
pub const CONFLATE_FROM: usize = 64;

/// Waiting lifecycle frames at which the socket is closed.
pub const LIFECYCLE_LIMIT: usize = 256;

/// Frames per write call.
pub(super) const AT_ONCE: usize = 32;

/// Any task may write to it; the socket's own task writes what waits in it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The connection to the client. Without one every frame waits.
    connection: Option<OwnedWriteHalf>,
    /// Whether positions that are written together are one frame.
    joins: bool,
    /// The recipient, once it has a seat.
    recipient: OnceLock<Recipient>,
    waiting: Mutex<Waiting>,
    // Whether the task has something to do; checked without the lock.
    filled: AtomicBool,
    closing: AtomicBool,
    beat: AtomicBool,
    task: AtomicWaker,
}

impl Outbox {
    /// The outbox of a new connection. It is held until the socket has sent its first frames. `joins`: the client takes several
    /// positions in one frame, as an array.
    pub(in crate::socket) fn of(connection: OwnedWriteHalf, joins: bool) -> Self {
        let waiting = Mutex::new(Waiting { held: true, ..Waiting::default() });
        Self { connection: Some(connection), joins, waiting, ..Self::default() }
    }

    /// Sets the recipient.
    pub(in crate::socket) fn belongs_to(&self, recipient: Recipient) {
        // A socket has one seat.
        let _ = self.recipient.set(recipient);
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

    /// Adds a frame that may be dropped: it is, if as many wait as positions may.
    pub fn push_fleeting(&self, whose: &Whose, frame: Frame) {
        let mut waiting = self.waiting.lock();
        if self.write_at_once(&mut waiting, &frame) {
            return;
        }
        if waiting.positions >= CONFLATE_FROM {
            count::DROPPED_FRAMES.add(1);
            return;
        }
        waiting.add_position(whose, &frame);
        drop(waiting);
        self.notify();
    }

    /// Adds a frame that stands for all with the same `whose` before it: of those, at most one waits.
    pub(super) fn push_newest(&self, whose: &Whose, frame: &Frame) {
        let mut waiting = self.waiting.lock();
        if !self.write_at_once(&mut waiting, frame) {
            waiting.add_newest(whose, frame);
            drop(waiting);
            self.notify();
        }
    }

    /// Adds positions, at most `AT_ONCE`, in one write. Each replaces the last one with the same `Whose` if too many
    /// wait.
    pub fn push_positions<'a>(
        &self,
        positions: impl Iterator<Item = (&'a Whose, &'a Frame)> + Clone,
    ) {
        let mut waiting = self.waiting.lock();
        let frames = positions.clone().map(|(_, frame)| frame);
        let written = if self.joins && frames.clone().nth(1).is_some() {
            self.write_joined(&mut waiting, frames)
        } else {
            self.write_together(&mut waiting, frames)
        };
        let mut rest = positions.skip(written).peekable();
        if rest.peek().is_none() {
            return;
        }
        for (whose, frame) in rest {
            waiting.add_position(whose, frame);
        }
        drop(waiting);
        self.notify();
    }

    /// Tries to write the frame directly. Returns whether the kernel has accepted it, or a part of it.
    fn write_at_once(&self, waiting: &mut Waiting, frame: &Frame) -> bool {
        self.write_together(waiting, std::iter::once(frame)) > 0
    }

    /// Tries to write frames directly. Returns how many of them the kernel has accepted, the last one perhaps in part.
    fn write_together<'a>(
        &self,
        waiting: &mut Waiting,
        frames: impl Iterator<Item = &'a Frame> + Clone,
    ) -> usize {
        let Some(connection) = self.connection.as_ref().filter(|_| waiting.is_free()) else {
            return 0;
        };
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(frames.clone()) {
            *slice = IoSlice::new(frame.bytes());
            count += 1;
        }
        // The task notices a broken connection when it writes the waiting frames.
        let socket = connection.as_ref();
        let written = match &slices[..count] {
            [] => return 0,
            // The kernel knows better than the runtime whether it is writable, and at less cost.
            [only] => rustix::net::send(socket, only, SendFlags::NOSIGNAL),
            several => rustix::io::writev(socket, several),
        };
        let Ok(mut left) = written else { return 0 };
        for (number, frame) in frames.enumerate() {
            if left == 0 {
                return number;
            }
            frame.is_written(self.recipient.get());
            let taken = left.min(frame.bytes().len());
            left -= taken;
            if taken < frame.bytes().len() {
                waiting.rest = frame.rest(taken);
                self.notify();
                return number + 1;
            }
        }
        count
    }

    /// Tries to write frames as one, directly. Returns how many the kernel has accepted: all or none, the last ones perhaps in
    /// part.
    fn write_joined<'a>(
        &self,
        waiting: &mut Waiting,
        frames: impl Iterator<Item = &'a Frame> + Clone,
    ) -> usize {
        // Each is recorded by itself, so the joined frame has no age.
        if !waiting.is_free()
            || !self.write_at_once(waiting, &Frame::joined(frames.clone()).again())
        {
            return 0;
        }
        frames.inspect(|frame| frame.is_written(self.recipient.get())).count()
    }

    /// Makes the socket catch up on the facts.
    pub fn wake(&self) {
        self.wake_by(&Born::default());
    }

    /// The same, with the span that caused it.
    pub(in crate::socket) fn wake_by(&self, woken: &Born) {
        let mut waiting = self.waiting.lock();
        waiting.call.wake = true;
        if !waiting.call.woken.is_noted() {
            waiting.call.woken = woken.clone();
        }
        drop(waiting);
        self.notify();
    }

    /// Closes the socket, unless it is being closed already.
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

    /// A heartbeat is due. Frames go on being written directly.
    pub(super) fn beat(&self) {
        self.beat.store(true, Ordering::Release);
        self.notify();
    }

    fn notify(&self) {
        self.filled.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// Operations of the socket's own task.
impl Outbox {
    /// Ready when there is something to do.
    pub(in crate::socket) fn poll_filled(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.filled.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        self.task.register(context.waker());
        if self.filled.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes the requests to the task, besides writing.
    pub(in crate::socket) fn take_call(&self) -> Call {
        self.filled.store(false, Ordering::Release);
        std::mem::take(&mut self.waiting.lock().call)
    }

    /// Takes the heartbeat, if one is due.
    pub(in crate::socket) fn take_beat(&self) -> bool {
        self.beat.swap(false, Ordering::AcqRel)
    }

    /// Holds all other frames until [`release`](Self::release), since the socket is about to send its own.
    pub(in crate::socket) fn hold(&self) {
        self.waiting.lock().held = true;
    }

    /// Ends [`hold`](Self::hold).
    pub(in crate::socket) fn release(&self) {
        self.waiting.lock().held = false;
    }

    /// Adds a frame of the socket itself, before all others that wait.
    pub(in crate::socket) fn say(&self, frames: Vec<Frame>) {
        let mut waiting = self.waiting.lock();
        for frame in frames {
            let next = waiting.said;
            waiting.frames.insert(next, Waits { frame, of: None });
            waiting.said += 1;
        }
    }

    /// Writes all waiting frames. Afterwards publishers write directly again.
    ///
    /// # Errors
    /// The error of the connection.
    pub(in crate::socket) async fn flush(&self) -> io::Result<()> {
        self.release();
        let depth = self.waiting.lock().frames.len();
        if depth > 0 {
            count::OUTBOX_DEPTH.record(depth as f64);
        }
        std::future::poll_fn(|context| self.poll_flush(context)).await
    }

    /// Writes as much as the connection accepts.
    pub(in crate::socket) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
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
            let count = if self.joins { waiting.join_positions() } else { AT_ONCE };
            let rest = Some(waiting.rest.bytes()).filter(|rest| !rest.is_empty());
            let frames = waiting.frames.iter().take(count).map(|it| it.frame.bytes());
            let bytes: Vec<_> =
                rest.into_iter().chain(frames).take(AT_ONCE).map(IoSlice::new).collect();
            if bytes.is_empty() {
                break;
            }
            let written = connection.try_write_vectored(&bytes)?;
            waiting.advance(written, self.recipient.get());
        }
        Ok(())
    }

    /// Shuts the writing side down.
    pub(in crate::socket) fn shut_down(&self) {
        if let Some(connection) = &self.connection {
            let _ = rustix::net::shutdown(connection.as_ref(), rustix::net::Shutdown::Write);
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Outbox {
    /// The texts of all waiting frames.
    pub(in crate::socket) fn take_texts(&self) -> Vec<String> {
        let mut waiting = self.waiting.lock();
        waiting.positions = 0;
        waiting.frames.drain(..).map(|it| it.frame.text().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests;
