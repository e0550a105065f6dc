//! What waits in an outbox for the socket's task.

use std::collections::VecDeque;

use super::super::Goodbye;
use super::super::frame::{Frame, Rest};
use super::super::leaving::Recipient;
use super::super::whose::Whose;
use super::{AT_ONCE, CONFLATE_FROM};
use crate::telemetry::{Born, count};

/// What waits for the socket's task.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The rest of a frame that the kernel has accepted in part.
    pub(super) rest: Rest,
    /// Frames in the order in which they are written.
    pub(super) frames: VecDeque<Waits>,
    pub(super) positions: usize,
    /// How many of the first frames are the socket's own.
    pub(super) said: usize,
    pub(super) call: Call,
    /// Held: the task is about to send its own frames first.
    pub(super) held: bool,
}

/// Requests to the socket's task.
#[derive(Debug, Default)]
pub(in crate::socket) struct Call {
    /// Catch up on the facts.
    pub(in crate::socket) wake: bool,
    /// When that was requested, and by which span.
    pub(in crate::socket) woken: Born,
    /// Close the socket, with this close frame.
    pub(in crate::socket) close: Option<Goodbye>,
}

/// One frame in the outbox.
#[derive(Debug)]
pub(super) struct Waits {
    pub(super) frame: Frame,
    /// The event and player of a frame that may be conflated or dropped; `None` for lifecycle frames.
    pub(super) of: Option<Whose>,
}

impl Waiting {
    /// Whether a frame that comes now is the next to be written.
    pub(super) fn is_free(&self) -> bool {
        let is_called = self.call.wake || self.call.close.is_some();
        !self.held && !is_called && self.rest.bytes().is_empty() && self.frames.is_empty()
    }

    /// Adds a position, or replaces the last one with the same `whose` if too many wait.
    pub(super) fn add_position(&mut self, whose: &Whose, frame: &Frame) {
        let frame = frame.clone();
        if self.positions >= CONFLATE_FROM
            && let Some(last) = self.frames.iter_mut().rfind(|it| it.of.as_ref() == Some(whose))
        {
            last.frame = frame;
            count::CONFLATED_FRAMES.add(1);
            return;
        }
        self.positions += 1;
        self.frames.push_back(Waits { frame, of: Some(whose.clone()) });
    }

    /// Adds a frame that stands for all before it: it takes the place of the last one with the same `whose`.
    pub(super) fn add_newest(&mut self, whose: &Whose, frame: &Frame) {
        let frame = frame.clone();
        if let Some(last) = self.frames.iter_mut().rfind(|it| it.of.as_ref() == Some(whose)) {
            last.frame = frame;
            count::CONFLATED_FRAMES.add(1);
            return;
        }
        self.positions += 1;
        self.frames.push_back(Waits { frame, of: Some(whose.clone()) });
    }

    /// Makes one frame of the positions that are the next to be written. It counts as a lifecycle frame: what is in it is not
    /// replaced any more. There is only one, since it is the first then. Returns how many frames to write before the next ones
    /// are joined.
    pub(super) fn join_positions(&mut self) -> usize {
        let count = self.frames.iter().take(AT_ONCE).take_while(|it| it.of.is_some()).count();
        if count > 1 {
            let frame = Frame::joined(self.frames.range(..count).map(|it| &it.frame));
            self.frames.drain(..count);
            self.frames.push_front(Waits { frame, of: None });
            self.positions -= count;
        }
        let next = self.frames.iter().position(|it| it.of.is_some());
        next.unwrap_or(self.frames.len()).max(1)
    }

    /// The kernel has accepted `written` bytes.
    pub(super) fn advance(&mut self, mut written: usize, recipient: Option<&Recipient>) {
        written = self.rest.advance(written);
        while written > 0 {
            let Some(Waits { frame, of }) = self.frames.pop_front() else { return };
            self.positions -= usize::from(of.is_some());
            self.said = self.said.saturating_sub(1);
            frame.is_written(recipient);
            let taken = written.min(frame.bytes().len());
            self.rest = frame.rest(taken);
            written -= taken;
        }
    }
}
