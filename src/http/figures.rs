//! Sets the gauges that are derived from this pod's state at each scrape.

use crate::module::context::Cx;
use crate::socket::rooms::{LOBBY, RACE};
use crate::telemetry::{Format, count, exposition, process};

/// The metrics as text, with current gauges.
pub(crate) fn exposed(cx: &Cx, format: Format) -> String {
    look(cx);
    exposition(format)
}

/// Sets the gauges.
fn look(cx: &Cx) {
    process::look();
    count::PLAYERS.set(cx.rooms().players());
    for channel in [LOBBY, RACE] {
        count::GAMES_OPEN.set([channel.0], cx.rooms().games(channel));
    }
    for pool in cx.records().pools() {
        count::RECORDS_CONNECTIONS.set([pool.database, "idle"], pool.idle);
        count::RECORDS_CONNECTIONS
            .set([pool.database, "used"], pool.open.saturating_sub(pool.idle));
    }
    count::BRIDGE_CONNECTED.set(cx.peers().are_reached().into());
    for (dependency, since) in cx.health().away() {
        count::DEPENDENCY_UP.set([dependency], since.is_none().into());
    }
}
