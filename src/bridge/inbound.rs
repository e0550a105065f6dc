//! What comes from other pods.

use std::sync::Arc;

use futures_util::FutureExt;

use super::Bridge;
use super::message::{self, Item, TALK, Talk};
use crate::bus::{Arrival, Receipt};
use crate::game::{PodName, Timestamp};
use crate::module::Parts;
use crate::socket::{Frame, Whose};
use crate::telemetry::{TraceContext, count};

/// Takes a message. With a `receipt` it is for one pod alone, whoever sent it.
pub(super) fn take(
    bridge: &Arc<Bridge>,
    parts: &Arc<Parts>,
    bytes: &[u8],
    trace: Option<&str>,
    receipt: Option<Arc<Receipt>>,
) {
    count::BRIDGE_RECEIVED.add(1);
    let Some(message) = message::read(bytes) else { return };
    let from = PodName::from(&*message.from);
    if receipt.is_none() && from == *bridge.live.pod() {
        return;
    }
    for item in message.events {
        if item.event == TALK {
            if let Ok(talk) = serde_json::from_str(item.body.get()) {
                listen(bridge, parts, &from, talk);
            }
            continue;
        }
        receive(parts, &item, trace, receipt.clone());
    }
}

fn receive(parts: &Parts, item: &Item<'_>, trace: Option<&str>, receipt: Option<Arc<Receipt>>) {
    count::BRIDGE_LATENCY.observe(Timestamp::now().after(item.at));
    let trace = item.trace.as_deref().or(trace);
    let trace = trace.map(TraceContext::from_traceparent).unwrap_or_default();
    let arrival = Arrival { at: item.at, trace, body: item.body.get(), receipt };
    match parts.bus.receive(&item.event, &arrival) {
        Some(Some(pending)) => {
            // Mostly there is room in the lanes of those who hear it. If not, everything else goes on.
            let mut delivering = pending.into_future();
            if delivering.as_mut().now_or_never().is_none() {
                parts.tasks.spawn(delivering);
            }
        }
        Some(None) => count::BRIDGE_UNREADABLE.add(1),
        None => count::BRIDGE_UNKNOWN.add(1),
    }
}

fn listen(bridge: &Arc<Bridge>, parts: &Arc<Parts>, from: &PodName, talk: Talk) {
    match talk {
        Talk::Entered(game) => {
            if bridge.roster.add(game, from) {
                let positions = parts.rooms.own_positions(game);
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
                // Whatever its sender could not tell us while it was cut off.
                parts.rooms.wake_game(game);
                let (bridge, from) = (bridge.clone(), from.clone());
                parts.tasks.spawn(async move { bridge.tell(&[from], &talk).await });
            }
        }
        Talk::Left(game) => bridge.roster.remove(game, from),
        Talk::Position { game, channel, event, player, frame } => {
            let channel = parts.frames.keys().find(|it| it.0 == channel);
            let room = channel.and_then(|channel| parts.rooms.get(*channel, game));
            if let (Some(room), Some(event)) = (room, parts.bus.known(&event)) {
                // A keystroke may have come before it.
                room.show_first_position(Whose { event, player }, Frame::of_text(frame));
            }
        }
        // The agenda keeps it until it is done: so it can be acknowledged at once, and a timer whose handler
        // waits holds up no other.
        Talk::Due { game, timer } => {
            // One that is unknown here may be known on another pod: it stays on the agenda.
            parts.timers.fire_named(&timer, game);
        }
    }
}
