//! The pulse of a pod that shares its live state: it says that it is alive, notices who is not, and keeps
//! its clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::game::Timestamp;
use crate::live::{Beat, LiveState, RedisLive};
use crate::module::Parts;

/// Between two signs of life.
const EVERY: Duration = Duration::from_secs(2);
/// How often the clock is set.
const CLOCK: Duration = Duration::from_secs(10);

/// Beats for ever.
pub(crate) async fn pulse(live: RedisLive, parts: Arc<Parts>) {
    let mut clock = Instant::now();
    // The first beat is news to everybody.
    let (mut was_away, mut is_known) = (false, false);
    loop {
        match live.beat().await {
            Ok(Beat { alive, is_news }) => {
                if let Some(bridge) = &parts.bridge {
                    bridge.roster.set_alive(alive);
                }
                forget_the_silent(&live, &parts).await;
                // It may have been away for less than a beat, and have lost what it knew; or the others
                // took this pod for dead.
                let is_forgotten = std::mem::replace(&mut is_known, true) && is_news;
                if std::mem::take(&mut was_away) || is_forgotten {
                    tracing::info!(is_forgotten, "Redis is back; everybody looks at the facts");
                    resync(&parts).await;
                }
            }
            Err(_) => was_away = true,
        }
        if clock.elapsed() >= CLOCK
            && let Ok(offset) = live.time_offset().await
        {
            clock = Instant::now();
            Timestamp::agree_on(offset);
        }
        sleep(EVERY).await;
    }
}

/// Players in lobbies whose pod has died are absent from now on. And it may have changed facts without living
/// to set the timers that follow from them.
async fn forget_the_silent(live: &RedisLive, parts: &Parts) {
    let silent = live.silent_pods().await.unwrap_or_default();
    if !silent.is_empty()
        && let Ok(games) = live.all().await
    {
        games.iter().for_each(|game| parts.timers.arm(game));
    }
    for dead in silent {
        tracing::warn!(pod = %dead, "a pod is silent; its sockets are taken for closed");
        for game in live.forget_pod(&dead, Timestamp::now()).await.unwrap_or_default() {
            parts.timers.arm(&game);
        }
    }
}

/// After something was away: the other pods are told of the games here, and every socket looks at the
/// facts.
pub(super) async fn resync(parts: &Parts) {
    if let Some(bridge) = &parts.bridge {
        super::roster::introduce_all(bridge).await;
    }
    parts.rooms.wake_all();
}
