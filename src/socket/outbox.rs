//! The outbox of one socket: the frames that its task has yet to write.
//!
//! Bounded, with two policies. Positions: from [`CONFLATE_FROM`] waiting ones on, a player's newest
//! replaces the one before it; so there are never more than that plus one per player. Lifecycle
//! frames are never dropped: a client that leaves [`LIFECYCLE_LIMIT`] of them lying is closed with
//! `SLOW_READER`, which tells it to come back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Message;

use crate::Kind;
use crate::game::UserId;
use crate::telemetry::{Born, count};

/// Waiting positions from which on a player's newest replaces the one before.
pub const CONFLATE_FROM: usize = 64;

/// Waiting lifecycle frames at which a client is given up.
pub const LIFECYCLE_LIMIT: usize = 256;

/// A message, serialised once for all who get it.
#[derive(Clone, Debug)]
pub struct Frame(pub(super) Message, pub(super) Born);

impl Frame {
    /// The text frame of a message.
    ///
    /// # Panics
    /// If the message cannot be JSON (a map with keys that are no strings): a fault of its type.
    pub fn json(message: &impl Serialize) -> Self {
        let text = serde_json::to_string(message).expect("messages of the contract are JSON");
        Self(Message::text(text), Born::default())
    }

    /// The frame of a position: how long it takes to the others is measured, now and then.
    pub(crate) fn born_now(self) -> Self {
        Self(self.0, Born::now())
    }

    /// The same, sent again later: its age says nothing.
    pub(super) fn again(&self) -> Self {
        Self(self.0.clone(), Born::default())
    }

    /// A frame that has been one before.
    pub(crate) fn of_text(text: String) -> Self {
        Self(Message::text(text), Born::default())
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.to_text().unwrap_or_default()
    }
}

/// What waits for the socket's task.
#[derive(Default)]
pub(super) struct Waiting {
    /// Frames in the order in which they are written.
    pub(super) frames: VecDeque<Waits>,
    /// The socket shall look again at what it should have said.
    pub(super) wake: bool,
    /// The socket shall be closed, and why.
    pub(super) close: Option<Kind>,
    positions: usize,
}

/// One frame in the outbox.
pub(super) struct Waits {
    pub(super) frame: Frame,
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

/// Written to by anybody, emptied by the socket's task.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    // Whether there is something in `waiting`, so that the task can look without the lock.
    filled: AtomicBool,
    task: AtomicWaker,
}

impl Outbox {
    /// Adds a lifecycle frame.
    pub fn push(&self, frame: Frame) {
        let mut waiting = self.waiting.lock();
        if waiting.frames.len() - waiting.positions >= LIFECYCLE_LIMIT {
            waiting.frames.clear();
            waiting.positions = 0;
            waiting.close = Some(Kind::SLOW_READER);
        } else {
            waiting.frames.push_back(Waits { frame, of: None });
        }
        drop(waiting);
        self.notify();
    }

    /// Adds a position, or replaces the last one that is as much `whose` if too many wait.
    pub fn push_position(&self, whose: &Whose, frame: Frame) {
        let mut waiting = self.waiting.lock();
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

    /// Has the socket look again at what it should have said.
    pub fn wake(&self) {
        self.waiting.lock().wake = true;
        self.notify();
    }

    /// Has the socket closed.
    pub fn close(&self, why: Kind) {
        self.waiting.lock().close.get_or_insert(why);
        self.notify();
    }

    fn notify(&self) {
        self.filled.store(true, Ordering::Release);
        self.task.wake();
    }

    /// Waits until there is something to do. Only the socket's own task may call it.
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

    /// Takes all that waits into `into`, whose frames have been written.
    pub(super) fn take(&self, into: &mut Waiting) {
        into.frames.clear();
        (into.wake, into.close, into.positions) = (false, None, 0);
        self.filled.store(false, Ordering::Release);
        std::mem::swap(&mut *self.waiting.lock(), into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(player: &str, number: usize) -> (Whose, Frame) {
        (Whose { event: "moved", player: Some(player.into()) }, Frame::json(&number))
    }

    fn texts(outbox: &Outbox) -> Vec<String> {
        let mut waiting = Waiting::default();
        outbox.take(&mut waiting);
        waiting.frames.iter().map(|it| it.frame.text().to_owned()).collect()
    }

    #[test]
    fn a_prompt_reader_gets_every_position() {
        let outbox = Outbox::default();
        for number in 0..CONFLATE_FROM {
            let (player, frame) = position("anna", number);
            outbox.push_position(&player, frame);
        }
        let all: Vec<_> = (0..CONFLATE_FROM).map(|number| number.to_string()).collect();
        assert_eq!(texts(&outbox), all);
    }

    #[test]
    fn a_slow_reader_gets_the_newest_of_each_player_in_order() {
        let outbox = Outbox::default();
        for number in 0..10_000 {
            for player in ["anna", "bert"] {
                let (player, frame) = position(player, number);
                outbox.push_position(&player, frame);
            }
        }
        let got = texts(&outbox);
        assert!(got.len() <= CONFLATE_FROM + 2, "{}", got.len());
        assert_eq!(got[got.len() - 2..], ["9999", "9999"]);
        assert!(got.is_sorted_by_key(|number| number.parse::<u32>().unwrap()));
    }

    #[test]
    fn lifecycle_frames_are_never_dropped_but_the_client_is() {
        let outbox = Outbox::default();
        for number in 0..LIFECYCLE_LIMIT {
            outbox.push(Frame::json(&number));
        }
        let mut waiting = Waiting::default();
        outbox.take(&mut waiting);
        assert_eq!((waiting.frames.len(), waiting.close), (LIFECYCLE_LIMIT, None));
        for number in 0..=LIFECYCLE_LIMIT {
            outbox.push(Frame::json(&number));
        }
        outbox.take(&mut waiting);
        assert_eq!(waiting.close, Some(Kind::SLOW_READER));
    }
}
