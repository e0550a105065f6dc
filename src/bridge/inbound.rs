//! Messages from other pods.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::Span;

use super::message::{self, EventItem, TALK, Talk};
use super::{Bridge, Pod};
use crate::bus::{Receipt, ReceivedEvent};
use crate::game::{PodName, Timestamp};
use crate::socket::rooms::{Frame, Whose};
use crate::telemetry::{Destination, TraceContext, count, take_in_span};

/// Deliveries and answers that may wait for room in a lane or for the broker. Further ones are dropped and counted:
/// the event is shown and wakes its rooms all the same, but a module whose lane is full does not hear it.
const BACKLOG: usize = 1024;

/// Work for which this pod has no module goes back to the broker after this.
const REFUSED_FOR: Duration = Duration::from_millis(200);

/// Work that no pod has a module for is dropped at this age.
const LOOKED_FOR: Duration = Duration::from_secs(60);

/// Unfinished work of received messages, up to a bound.
pub(super) struct Backlog(Arc<Semaphore>);

impl Default for Backlog {
    fn default() -> Self {
        Self::of(BACKLOG)
    }
}

impl Backlog {
    fn of(permits: usize) -> Self {
        Self(Arc::new(Semaphore::new(permits)))
    }

    /// Runs `rest` as a task, or drops it if too many are running.
    fn spawn(&self, tasks: &TaskTracker, rest: impl Future<Output = ()> + Send + 'static) {
        let Ok(permit) = self.0.clone().try_acquire_owned() else {
            count::BRIDGE_DROPPED.add(1);
            return;
        };
        tasks.spawn(async move {
            rest.await;
            drop(permit);
        });
    }
}

/// A received message.
pub(super) struct BrokerDelivery<'a> {
    pub(super) bytes: &'a [u8],
    /// Its source; only known if it is traced.
    pub(super) from: Option<&'a Destination>,
    /// The span that sent it.
    pub(super) sent: TraceContext,
    /// Present if the message is work for exactly one pod, which may be its sender.
    pub(super) receipt: Option<Arc<Receipt>>,
}

/// Handles a message.
pub(super) fn handle_message(bridge: &Arc<Bridge>, pod: &Arc<Pod>, received: BrokerDelivery<'_>) {
    let BrokerDelivery { bytes, from: source, sent, receipt } = received;
    count::BRIDGE_RECEIVED.add(1);
    let Some(message) = message::read(bytes) else { return };
    let from = PodName::from(&*message.from);
    if receipt.is_none() && from == *bridge.live.pod() {
        return;
    }
    let is_one = message.events.len() == 1;
    for item in message.events {
        if item.event == TALK {
            if let Ok(talk) = serde_json::from_str(item.body.get()) {
                listen(bridge, pod, &from, talk);
            }
            continue;
        }
        // In a batch, each traced item has the span that published it.
        let cause = match item.trace.as_deref() {
            Some(trace) => TraceContext::from_traceparent(trace),
            None if is_one => sent.clone(),
            None => TraceContext::none(),
        };
        let span = source.map(|source| take_in_span(source, &cause)).unwrap_or_else(Span::none);
        receive(bridge, pod, &item, &span, receipt.clone());
    }
}

fn receive(
    bridge: &Bridge,
    pod: &Pod,
    item: &EventItem<'_>,
    span: &Span,
    receipt: Option<Arc<Receipt>>,
) {
    let is_work = receipt.is_some();
    count::BRIDGE_LATENCY.observe(Timestamp::now().after(item.at));
    let trace = TraceContext::of(span);
    let arrival = ReceivedEvent { at: item.at, trace, body: item.body.get(), receipt };
    match span.in_scope(|| pod.bus.receive(&item.event, &arrival)) {
        Some(Some(pending)) => {
            // Usually the lanes have room. If not, the delivery waits in a task and other messages go on.
            let mut delivering = pending.within(span.clone()).into_future();
            if delivering.as_mut().now_or_never().is_some() {
                return;
            }
            if is_work {
                // Bounded by the prefetch; dropping one would ack it as handled.
                pod.tasks.spawn(delivering);
            } else {
                bridge.backlog.spawn(&pod.tasks, delivering);
            }
        }
        Some(None) => count::BRIDGE_UNREADABLE.add(1),
        None => {
            count::BRIDGE_UNKNOWN.add(1);
            let age = Timestamp::now().after(item.at);
            if let Some(receipt) = arrival.receipt.filter(|_| age < LOOKED_FOR) {
                // A pod of another version may know it.
                receipt.refuse();
                pod.tasks.spawn(async move {
                    sleep(REFUSED_FOR).await;
                    drop(receipt);
                });
            }
        }
    }
}

fn listen(bridge: &Arc<Bridge>, pod: &Arc<Pod>, from: &PodName, talk: Talk) {
    match talk {
        Talk::Entered(game) => {
            if bridge.roster.add(game, from) {
                let positions = pod.rooms.own_positions(game);
                let talk: Vec<_> = positions
                    .into_iter()
                    .map(|(channel, whose, frame)| Talk::Position {
                        game,
                        channel: channel.0.to_owned(),
                        event: whose.event.to_owned(),
                        player: whose.player,
                        frame: frame.text().to_owned(),
                    })
                    .collect();
                // In case its sender could not announce changes while it was cut off.
                pod.rooms.wake_game(game);
                let from = from.clone();
                let answering = bridge.clone();
                let answer = async move { answering.tell(&[from], &talk).await };
                bridge.backlog.spawn(&pod.tasks, answer);
            }
        }
        Talk::Left(game) => bridge.roster.remove(game, from),
        Talk::Position { game, channel, event, player, frame } => {
            let channel = pod.channels.iter().find(|it| it.0 == channel);
            let room = channel.and_then(|channel| pod.rooms.get(*channel, game));
            if let (Some(room), Some(event)) = (room, pod.bus.known(&event)) {
                // A newer keystroke may have come before it.
                room.show_first_position(Whose { event, player }, Frame::of_text(&frame));
            }
        }
        // The agenda keeps it until it is done. So it is acked at once, and a slow handler delays no other timer.
        Talk::Due { game, timer } => {
            // A timer unknown to this pod may be known to another: it stays on the agenda.
            pod.timers.fire_named(&timer, game);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn what_waits_is_bounded_and_what_is_done_makes_room() {
        let (backlog, tasks) = (Backlog::of(2), TaskTracker::new());
        let before = count::BRIDGE_DROPPED.get();
        for _ in 0..2 {
            backlog.spawn(&tasks, async {});
        }
        while !tasks.is_empty() {
            tokio::task::yield_now().await;
        }
        for _ in 0..5 {
            backlog.spawn(&tasks, pending());
        }
        assert_eq!(tasks.len(), 2);
        assert!(count::BRIDGE_DROPPED.get() >= before + 3);
    }
}
