//! Detects changes without a message: whether a game with sockets here has changed.
//!
//! The broker may be down or hang; another pod may be cut off from it, or crash, after it changed facts. So the version
//! of each such game is read periodically, independently of the broker, and its sockets re-read the facts if it has
//! changed. That costs one short read per game, and none per socket.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Bridge, Pod};
use crate::game::GameId;

/// Interval of the check, and so the delay of a START without a message.
const ROUND: Duration = Duration::from_secs(1);

/// Checks for ever.
pub(super) async fn run(bridge: Arc<Bridge>, pod: Arc<Pod>) {
    let mut known = HashMap::new();
    loop {
        sleep(ROUND).await;
        let games = bridge.roster.here();
        // While Redis does not answer, there is nothing to compare.
        let Ok(versions) = bridge.live.versions(&games).await else { continue };
        let seen: HashMap<GameId, Option<u64>> = games.into_iter().zip(versions).collect();
        for (game, version) in &seen {
            // The first time, it may have changed since its sockets read the facts.
            if known.get(game) != Some(version) {
                pod.rooms.wake_game(*game);
            }
        }
        known = seen;
    }
}
