//! Sets the gauges that are derived from this pod's state at each scrape.

use crate::module::Parts;
use crate::socket::{LOBBY, RACE};
use crate::telemetry::{Format, count, exposition, process};

/// The metrics as text, with current gauges.
pub(crate) fn exposed(parts: &Parts, format: Format) -> String {
    look(parts);
    exposition(format)
}

/// Sets the gauges.
pub(super) fn look(parts: &Parts) {
    process::look();
    count::PLAYERS.set(parts.rooms.players());
    for channel in [LOBBY, RACE] {
        count::GAMES_OPEN.set([channel.0], parts.rooms.games(channel));
    }
    for pool in parts.records.pools() {
        count::RECORDS_CONNECTIONS.set([pool.database, "idle"], pool.idle);
        count::RECORDS_CONNECTIONS
            .set([pool.database, "used"], pool.open.saturating_sub(pool.idle));
    }
    count::BRIDGE_CONNECTED.set(parts.bridge.as_ref().map_or(0, |bridge| bridge.is_there().into()));
    for (dependency, since) in parts.health.away() {
        count::DEPENDENCY_UP.set([dependency], since.is_none().into());
    }
}
