//! The bus's interface to other pods: a trait that the bridge implements, and the form in which an event travels.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::event::{Event, Reach};
use crate::game::{GameId, Timestamp, UserId};
use crate::telemetry::TraceContext;

/// An event on its way to another pod.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The name of its type.
    pub event: &'static str,
    /// Its reach.
    pub reach: Reach,
    /// Its game.
    pub game: Option<GameId>,
    /// Its player; of a `Latest` event, only each player's newest counts.
    pub player: Option<UserId>,
    /// When it was published.
    pub at: Timestamp,
    /// The span that published it.
    pub trace: TraceContext,
    /// The event, as JSON.
    pub body: Arc<str>,
}

impl Parcel {
    /// `None` if the event cannot be serialised as JSON: a bug in its type, which is logged.
    pub(super) fn of<E: Event>(event: &E, at: Timestamp) -> Option<Self> {
        let body = serde_json::to_string(event)
            .inspect_err(|error| tracing::error!(event = E::NAME, %error, "cannot travel"))
            .ok()?;
        Some(Self {
            event: E::NAME,
            reach: E::REACH,
            game: event.game(),
            player: event.player().cloned(),
            at,
            trace: TraceContext::current(),
            body: body.into(),
        })
    }
}

/// Carries events to other pods. Without it, this pod is alone.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// Whether a position of this game must be sent at all. Called for every keystroke.
    fn has_others(&self, game: GameId) -> bool;

    /// Sends a position with the next batch. Never waits; of each player only the newest is sent.
    fn relay(&self, parcel: Parcel);

    /// Sends a lifecycle event to the pods in its reach. Waits while its queue is full.
    async fn carry(&self, parcel: Parcel);

    /// Gives an event of reach `Once` to exactly one pod. Returns whether that is certain; otherwise the caller handles
    /// it.
    async fn assign(&self, parcel: Parcel) -> bool;
}

/// An event received from another pod.
pub struct ReceivedEvent<'a> {
    /// When it was published.
    pub at: Timestamp,
    /// The span that published it.
    pub trace: TraceContext,
    /// The event, as JSON.
    pub body: &'a str,
    /// Dropped once it is handled.
    pub receipt: Option<Arc<Receipt>>,
}

/// An action that runs once an event is handled, whatever the outcome, or refused: when the last clone is dropped.
pub struct Receipt {
    settle: Option<Box<dyn FnOnce(Settled) + Send + Sync>>,
    is_refused: AtomicBool,
}

/// The outcome of an event that exactly one pod was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was handled.
    Handled,
    /// No module of this pod knows it: it is for another pod.
    Refused,
}

impl Receipt {
    /// A receipt with this action.
    pub fn new(settle: impl FnOnce(Settled) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { settle: Some(Box::new(settle)), is_refused: AtomicBool::new(false) })
    }

    /// Leaves the event to another pod.
    pub fn refuse(&self) {
        self.is_refused.store(true, Ordering::Release);
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        let is_refused = *self.is_refused.get_mut();
        if let Some(settle) = self.settle.take() {
            settle(if is_refused { Settled::Refused } else { Settled::Handled });
        }
    }
}
