//! What comes from other pods.

use std::sync::Arc;

use super::Bridge;
use super::message::{self, Item, TALK, Talk};
use crate::bus::{Arrival, Receipt};
use crate::game::PodName;
use crate::module::Parts;
use crate::socket::{Frame, Whose};
use crate::telemetry::{TraceContext, count};

/// Takes a message. With a `receipt` it is for one pod alone, whoever sent it.
pub(super) async fn take(
    bridge: &Arc<Bridge>,
    parts: &Arc<Parts>,
    bytes: &[u8],
    trace: Option<&str>,
    receipt: Option<Arc<Receipt>>,
) {
    let Some(message) = message::read(bytes) else { return };
    let from = PodName::from(&*message.from);
    if receipt.is_none() && from == *bridge.live.pod() {
        return;
    }
    for item in message.events {
        if item.event == TALK {
            if let Ok(talk) = serde_json::from_str(item.body.get()) {
                listen(bridge, parts, &from, talk, receipt.clone()).await;
            }
            continue;
        }
        receive(parts, &item, trace, receipt.clone()).await;
    }
}

async fn receive(
    parts: &Parts,
    item: &Item<'_>,
    trace: Option<&str>,
    receipt: Option<Arc<Receipt>>,
) {
    let trace = item.trace.as_deref().or(trace);
    let trace = trace.map(TraceContext::from_traceparent).unwrap_or_default();
    let arrival = Arrival { at: item.at, trace, body: item.body.get(), receipt };
    match parts.bus.receive(&item.event, &arrival) {
        Some(Some(pending)) => pending.await,
        Some(None) => count::BRIDGE_UNREADABLE.add(1),
        None => count::BRIDGE_UNKNOWN.add(1),
    }
}

async fn listen(
    bridge: &Arc<Bridge>,
    parts: &Arc<Parts>,
    from: &PodName,
    talk: Talk,
    receipt: Option<Arc<Receipt>>,
) {
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
                if !talk.is_empty() {
                    bridge.tell(std::slice::from_ref(from), &talk).await;
                }
            }
        }
        Talk::Left(game) => bridge.roster.remove(game, from),
        Talk::Position { game, channel, event, player, frame } => {
            let channel = parts.frames.keys().find(|it| it.0 == channel);
            let room = channel.and_then(|channel| parts.rooms.get(*channel, game));
            if let (Some(room), Some(event)) = (room, parts.bus.known(&event)) {
                room.show_position(Whose { event, player }, Frame::of_text(frame));
            }
        }
        Talk::Due { game, timer } => parts.timers.fire_named(&timer, game, receipt),
    }
}
