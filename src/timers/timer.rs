//! A timer as a module declares it: a deadline as a function of the facts, and the handler that then runs.

use std::sync::Arc;

use crate::bus::{Delivery, Handling, Lanes, Owner};
use crate::game::{Game, GameId, Timestamp};
use crate::telemetry::TraceContext;

/// When a timer of a game is due: a function of its facts only.
pub(super) type Due = fn(&Game) -> Option<Timestamp>;

/// Runs the handler.
pub(super) type RunHandler = Box<dyn FnOnce() -> Handling + Send>;

/// Decides, in the lane, whether the handler runs.
type Fired = Box<dyn FnOnce(RunHandler) -> Handling + Send>;

/// Puts a firing timer into the lane of its game, or returns its cause if the lane is full.
type Deliver = Box<dyn Fn(GameId, TraceContext, Fired) -> Result<(), TraceContext> + Send + Sync>;

/// A timer.
pub(crate) struct Timer {
    pub(super) name: &'static str,
    pub(super) owner: Arc<dyn Owner>,
    pub(super) due: Due,
    deliver: Deliver,
}

impl Timer {
    /// A timer whose handler runs in these lanes.
    pub(crate) fn new<C: Owner>(
        name: &'static str,
        owner: Arc<dyn Owner>,
        due: Due,
        lanes: Arc<Lanes<C>>,
        handler: impl Fn(C, GameId) -> Handling + Send + Sync + 'static,
    ) -> Self {
        let handler = Arc::new(handler);
        let deliver = move |game, trace, fired: Fired| {
            let handler = handler.clone();
            let run = move |cx: C| fired(Box::new(move || handler(cx, game)));
            let delivery = Delivery { what: name, trace, run: Box::new(run) };
            lanes.try_send(game, delivery).map_err(|refused| refused.trace)
        };
        Self { name, owner, due, deliver: Box::new(deliver) }
    }

    pub(super) fn deliver(
        &self,
        game: GameId,
        cause: TraceContext,
        fired: Fired,
    ) -> Result<(), TraceContext> {
        (self.deliver)(game, cause, fired)
    }
}
