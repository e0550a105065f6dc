//! Lanes: deliver lifecycle events and timers to a module, in order and without loss.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fence::fence;
use super::owner::Owner;
use super::topic::Handling;
use crate::game::GameId;
use crate::telemetry::TraceContext;

/// Lanes per module. Events of one game always take the same lane, so they keep their order; a slow game delays at most
/// an eighth of the others.
pub const LANES: usize = 8;

/// Deliveries that may wait in one lane. When it is full, the sender waits.
pub const LANE_CAPACITY: usize = 256;

/// One event for one module.
pub(crate) struct Delivery<C> {
    /// The event's or timer's name.
    pub(crate) what: &'static str,
    /// The span that caused it.
    pub(crate) trace: TraceContext,
    /// Runs the handler.
    pub(crate) run: Box<dyn FnOnce(C) -> Handling + Send>,
}

/// The sending ends of a module's lanes.
pub struct Lanes<C>(Vec<mpsc::Sender<Delivery<C>>>);

/// The receiving ends.
pub(super) struct LaneReceivers<C>(Vec<mpsc::Receiver<Delivery<C>>>);

impl<C> Lanes<C> {
    pub(super) fn new() -> (Arc<Self>, LaneReceivers<C>) {
        let (senders, receivers) = (0..LANES).map(|_| mpsc::channel(LANE_CAPACITY)).unzip();
        (Arc::new(Self(senders)), LaneReceivers(receivers))
    }

    fn lane(&self, game: Option<GameId>) -> &mpsc::Sender<Delivery<C>> {
        let key = game.map_or(0, |game| game.0.unsigned_abs());
        &self.0[usize::try_from(key % LANES as u64).expect("a remainder of LANES")]
    }

    /// Puts a delivery into the lane of its game; waits while it is full.
    pub(crate) async fn send(&self, game: Option<GameId>, delivery: Delivery<C>) {
        let what = delivery.what;
        if self.lane(game).send(delivery).await.is_err() {
            tracing::debug!(event = what, "not delivered: this server is stopping");
        }
    }

    /// Puts a delivery into the lane of its game, or returns it if the lane is full.
    pub(crate) fn try_send(&self, game: GameId, delivery: Delivery<C>) -> Result<(), Delivery<C>> {
        match self.lane(Some(game)).try_send(delivery) {
            Err(mpsc::error::TrySendError::Full(delivery)) => Err(delivery),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }
}

impl<C: Owner + Clone> LaneReceivers<C> {
    pub(super) fn run(self, cx: &C, tasks: &TaskTracker, stop: &CancellationToken) {
        for lane in self.0 {
            tasks.spawn(deliver(cx.clone(), lane, tasks.clone(), stop.clone()));
        }
    }
}

/// Runs deliveries one after the other; on `stop`, only those that are already in the lane.
async fn deliver<C: Owner + Clone>(
    cx: C,
    mut lane: mpsc::Receiver<Delivery<C>>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let next = tokio::select! {
            biased;
            next = lane.recv() => next,
            () = stop.cancelled(), if !lane.is_closed() => {
                lane.close();
                continue;
            }
        };
        let Some(delivery) = next else { return };
        let Delivery { what, trace, run } = delivery;
        if !cx.takes(what) {
            continue;
        }
        // Also called inside the fence: a plain `fn` may panic before it returns its future.
        let its = cx.clone();
        let handling = async move { run(its).await };
        fence(&cx, what, &trace, handling, &tasks).await;
    }
}
