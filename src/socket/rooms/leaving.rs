//! Records a frame that was written to a client: its latency if it is sampled, a span if it is traced, and a span if it
//! took too long.

use serde::Deserialize;

use super::Channel;
use crate::game::GameId;
use crate::telemetry::{Born, Departure, SLOW_DELIVERY, TraceContext};

/// The receiver of a frame, as spans show it.
#[derive(Clone, Copy, Debug)]
pub(in crate::socket) struct Recipient {
    /// The channel of its socket.
    pub(in crate::socket) channel: Channel,
    /// The number of its socket.
    pub(in crate::socket) socket: u64,
    /// Its game.
    pub(in crate::socket) game: GameId,
}

/// Records the write of a frame whose origin is known.
pub(in crate::socket) fn record_write(text: &str, born: &Born, recipient: Option<&Recipient>) {
    if born.is_measured() {
        born.observe();
    }
    let Some(recipient) = recipient else { return };
    if born.cause().is_some() {
        departure(text, born, recipient, |it| it.write_span(born.age()));
    }
    let age = born.whole_age();
    if age > SLOW_DELIVERY {
        departure(text, born, recipient, |it| it.slow_span(age));
    }
}

fn departure(text: &str, born: &Born, recipient: &Recipient, make: impl FnOnce(&Departure<'_>)) {
    #[derive(Deserialize)]
    struct Head {
        event: String,
    }
    let (none, head) = (TraceContext::none(), serde_json::from_str::<Head>(text));
    let event = head.map_or_else(|_| "frame".to_owned(), |head| head.event);
    let cause = born.cause().unwrap_or(&none);
    let Recipient { channel, socket, game } = *recipient;
    make(&Departure { event, channel: channel.0, socket, game, cause });
}
