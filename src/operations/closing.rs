//! The event by which an operator closes sockets on all pods.

use std::sync::Arc;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::Kind;
use crate::bus::{BusBuilder, Event, Never, Reach};
use crate::game::{GameId, UserId};
use crate::module::context::{Cx, Switch};
use crate::socket::rooms::{Rooms, SocketsOf};

/// An operator closes the sockets of a game, of a player, or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct SocketsClosed {
    pub(super) game: Option<GameId>,
    pub(super) user: Option<UserId>,
}

impl Event for SocketsClosed {
    const NAME: &'static str = "operations.sockets-closed";
    const REACH: Reach = Reach::Everywhere;
    type Loss = Never;
}

/// Closes the sockets on every pod that hears the event.
pub(super) fn wire(bus: &mut BusBuilder<Cx>, own: &Arc<Switch>, rooms: &Arc<Rooms>) {
    let rooms = rooms.clone();
    bus.view(own, move |event: &SocketsClosed| {
        if let Some(game) = event.game {
            rooms.close_game(game, Kind::CLOSED_BY_OPERATOR);
        }
        if let Some(user) = &event.user {
            rooms.close(SocketsOf::Player(user), Kind::CLOSED_BY_OPERATOR);
        }
    });
}
