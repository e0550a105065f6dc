//! What is noted of a frame that has left for a client: its latency, if it is one of those that are measured; a span, if
//! it is traced; and one if it was on its way for too long.

use serde::Deserialize;

use super::Channel;
use crate::game::GameId;
use crate::telemetry::{Born, Departure, SLOW_DELIVERY, TraceContext};

/// To whom a frame goes, as spans tell it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// Which kind of socket it has.
    pub(super) channel: Channel,
    /// Which one.
    pub(super) socket: u64,
    /// In which game.
    pub(super) game: GameId,
}

/// A frame that was noted when it was made has been written.
pub(super) fn note(text: &str, born: &Born, client: Option<&Client>) {
    if born.is_measured() {
        born.observe();
    }
    let Some(client) = client else { return };
    if born.cause().is_some() {
        departure(text, born, client, |it| it.write_span(born.age()));
    }
    let age = born.whole_age();
    if age > SLOW_DELIVERY {
        departure(text, born, client, |it| it.slow_span(age));
    }
}

fn departure(text: &str, born: &Born, client: &Client, make: impl FnOnce(&Departure<'_>)) {
    #[derive(Deserialize)]
    struct Head {
        event: String,
    }
    let (none, head) = (TraceContext::none(), serde_json::from_str::<Head>(text));
    let event = head.map_or_else(|_| "frame".to_owned(), |head| head.event);
    let cause = born.cause().unwrap_or(&none);
    let Client { channel, socket, game } = *client;
    make(&Departure { event, channel: channel.0, socket, game, cause });
}
