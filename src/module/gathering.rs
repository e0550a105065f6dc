//! What a channel shows once per tick: one message with the newest of every player, made once for all sockets of a room.

use std::sync::Arc;

use serde::Serialize;

use super::context::{Brief, Effect};
use super::wiring::Wiring;
use crate::bus::{Event, Owner, report_panic};
use crate::game::GameId;
use crate::socket::rooms::Show;
use crate::socket::{Channel, Frame, Message, MessageInfo, Newest};
use crate::telemetry::panics;

/// A message with the newest that is known of every player of a game. The message stands for all before it, since a socket that
/// does not read gets only the newest one.
pub trait Gathered: Message + Serialize + Sized + 'static {
    /// What is noted of a player; of an event without a player, what is noted of the game.
    type Row: Clone + Send + Sync + 'static;

    /// The message, if there is something to show. Called once per tick, in a task of the runtime; must not wait.
    fn of(brief: Brief<'_>, game: GameId, rows: &Newest<Self::Row>) -> Option<Self>;
}

impl Wiring<'_> {
    /// Shows events to the sockets of their game on `channel`, gathered: `row` is noted with each event, and
    /// [`TICK`](crate::socket::TICK) after the first one the room is sent one message with the newest rows of all players. An
    /// event costs no more than that, however many sockets there are, and nothing if there are none.
    pub fn gathers<E: Event, M: Gathered>(&mut self, channel: Channel, row: fn(&E) -> M::Row) {
        self.gather::<E, M>(channel, row, false);
    }

    /// The same for events that may be older than what is noted: they count for players of whom nothing is noted.
    pub fn gathers_late<E: Event, M: Gathered>(&mut self, channel: Channel, row: fn(&E) -> M::Row) {
        self.gather::<E, M>(channel, row, true);
    }

    fn gather<E: Event, M: Gathered>(
        &mut self,
        channel: Channel,
        row: fn(&E) -> M::Row,
        is_late: bool,
    ) {
        self.row.views(E::NAME, Effect::Gathered(channel));
        self.row.messages.push(MessageInfo::said::<M>(channel));
        let (rooms, switch) = (self.to.rooms.clone(), self.switch.clone());
        let (module, ground) = (self.row.name, self.to.ground.clone());
        let fence = self.switch.clone();
        let make = move |game, rows: &Newest<M::Row>| {
            let brief = Brief::of(module, ground.get()?);
            let made = panics::catch(|| M::of(brief, game, rows));
            let made = made.unwrap_or_else(|caught| {
                report_panic(&*fence, M::EVENT, &caught);
                None
            });
            made.map(|message| Frame::of(&message))
        };
        let show = Arc::new(Show { event: M::EVENT, make: Box::new(make) });
        self.to.bus.view(&self.switch, move |event: &E| {
            let Some(game) = event.game().filter(|_| switch.is_on()) else { return };
            if let Some(room) = rooms.get(channel, game) {
                room.note(&show, game, (event.player(), row(event)), is_late);
            }
        });
    }
}
