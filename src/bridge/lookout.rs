//! What no message tells: whether a game that has sockets here has changed.
//!
//! The broker may be away, or hang; another pod may be cut off from it, or die, after it has done what was due. So the
//! version of each such game is looked at from time to time, whatever comes over the broker, and its sockets look
//! at the facts if it is another. It costs one short read per game, and none per socket.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Bridge;
use crate::game::GameId;
use crate::module::Parts;

/// Between two looks: so late is a START that no message told.
const ROUND: Duration = Duration::from_secs(1);

/// Looks, for ever.
pub(super) async fn keep(bridge: Arc<Bridge>, parts: Arc<Parts>) {
    let mut known = HashMap::new();
    loop {
        sleep(ROUND).await;
        let games = bridge.roster.here();
        // While Redis does not answer nothing is known to have changed.
        let Ok(versions) = bridge.live.versions(&games).await else { continue };
        let seen: HashMap<GameId, Option<u64>> = games.into_iter().zip(versions).collect();
        for (game, version) in &seen {
            // The first time it may have changed since its sockets looked.
            if known.get(game) != Some(version) {
                parts.rooms.wake_game(*game);
            }
        }
        known = seen;
    }
}
