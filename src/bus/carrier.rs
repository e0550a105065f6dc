//! What carries events to other servers, as the bus knows it: a trait that the bridge implements, and the
//! form in which an event travels.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::event::{Event, Reach};
use crate::game::{GameId, Timestamp, UserId};
use crate::telemetry::TraceContext;

/// An event on its way to another server.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The name of its type.
    pub event: &'static str,
    /// Who has to hear it.
    pub reach: Reach,
    /// Its game.
    pub game: Option<GameId>,
    /// Its player, of whom only the newest counts if it is a `Latest` event.
    pub player: Option<UserId>,
    /// When it was published.
    pub at: Timestamp,
    /// The span that published it.
    pub trace: TraceContext,
    /// The event, as JSON.
    pub body: Arc<str>,
}

impl Parcel {
    /// `None` if the event cannot be JSON: a fault of its type, which the log names.
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

/// Carries events to other servers. Without one, this server is alone.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// Whether a position of this game has to travel at all. Asked for every keystroke.
    fn has_others(&self, game: GameId) -> bool;

    /// Takes a position along. Never waits; of a player only the newest travels.
    fn relay(&self, parcel: Parcel);

    /// Takes a lifecycle event to the others that have to hear it. Waits while too many wait.
    async fn carry(&self, parcel: Parcel);

    /// Gives an event of reach `Once` to exactly one server. Returns whether it is sure to be handled; else
    /// whoever asks handles it.
    async fn assign(&self, parcel: Parcel) -> bool;
}

/// An event that another server has sent.
pub struct Arrival<'a> {
    /// When it was published.
    pub at: Timestamp,
    /// The span that published it.
    pub trace: TraceContext,
    /// The event, as JSON.
    pub body: &'a str,
    /// To be dropped once it is handled.
    pub receipt: Option<Arc<Receipt>>,
}

/// What has to happen once an event is handled, whatever came of it: when the last one who handles it drops
/// this.
pub struct Receipt {
    settle: Option<Box<dyn FnOnce(Settled) + Send + Sync>>,
    is_refused: AtomicBool,
}

/// What became of an event that one server alone was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is handled.
    Handled,
    /// Nobody here knows it: it is for another server.
    Refused,
}

impl Receipt {
    /// A receipt that does this.
    pub fn new(settle: impl FnOnce(Settled) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { settle: Some(Box::new(settle)), is_refused: AtomicBool::new(false) })
    }

    /// Another server is to have it.
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
