//! The heartbeat of a pod with shared live state: it reports itself alive, notices pods that are not, and sets its
//! clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Pod;
use crate::game::{PodName, Timestamp};
use crate::live::{BeatAnswer, RedisLive};
use crate::socket::rooms::SocketsOf;
use crate::{Error, Kind};

/// Interval of heartbeats.
const EVERY: Duration = Duration::from_secs(2);
/// Alive for longer than the 6 s timeout, so not a stale entry.
const SURELY_ALIVE: Duration = Duration::from_secs(10);
/// After an outage of Redis, the other pods are given so long for their next heartbeats before one counts as dead: the outage
/// may have been theirs as well, and they reconnect one after the other.
const OTHERS_RETURN: Duration = Duration::from_secs(10);
/// Interval of clock synchronisation.
const CLOCK: Duration = Duration::from_secs(10);

/// Sends heartbeats for ever.
pub(crate) async fn pulse(live: RedisLive, pod: Arc<Pod>) {
    let mut clock = Instant::now();
    let mut strangers = Strangers::default();
    // The first heartbeat announces this pod.
    let (mut was_away, mut is_known) = (false, false);
    let mut last_failure: Option<Instant> = None;
    loop {
        live.set_players_here(pod.rooms.players());
        match live.beat().await {
            Ok(BeatAnswer { alive, is_news }) => {
                match &pod.bridge {
                    Some(bridge) => bridge.roster.set_alive(alive),
                    None => strangers.look(live.pod(), &alive),
                }
                if last_failure.is_none_or(|it| it.elapsed() > OTHERS_RETURN) {
                    forget_the_silent(&live, &pod).await;
                }
                // Redis may have been down for less than an interval and lost its memory; or the other pods took this
                // one for dead.
                let is_forgotten = std::mem::replace(&mut is_known, true) && is_news;
                if std::mem::take(&mut was_away) || is_forgotten {
                    if is_forgotten {
                        tracing::warn!("Redis had lost this pod; its sockets re-read the facts");
                    }
                    resync(&pod).await;
                }
            }
            Err(_) => {
                was_away = true;
                last_failure = Some(Instant::now());
            }
        }
        if clock.elapsed() >= CLOCK && live.set_clock().await.is_ok() {
            clock = Instant::now();
        }
        sleep(EVERY).await;
    }
}

/// Detects other servers on the same Redis when this one has no broker to reach them.
#[derive(Default)]
struct Strangers {
    seen: Option<Instant>,
    told: bool,
}

impl Strangers {
    /// A killed server, or this server's last run, counts as alive for some seconds.
    fn look(&mut self, own: &PodName, alive: &[PodName]) {
        let Some(other) = alive.iter().find(|it| *it != own) else {
            *self = Self::default();
            return;
        };
        let seen = *self.seen.get_or_insert_with(Instant::now);
        if !self.told && seen.elapsed() >= SURELY_ALIVE {
            self.told = true;
            tracing::error!(
                %other,
                "another server uses this Redis: give each a redis.prefix of its own, or all of them amqp, \
                 or their players do not hear of each other"
            );
        }
    }
}

/// Marks lobby players of dead pods as absent. And re-arms their games' timers, since a pod may have died between
/// changing facts and arming them.
async fn forget_the_silent(live: &RedisLive, pod: &Pod) {
    let silent = live.silent_pods().await.unwrap_or_default();
    if !silent.is_empty() && pod.live.visit_games(|game| pod.timers.arm(game)).await.is_err() {
        // They stay silent, so this is tried again.
        return;
    }
    for dead in silent {
        tracing::warn!(pod = %dead, "a pod is silent; its sockets are treated as closed");
        for game in live.forget_pod(&dead, Timestamp::now()).await.unwrap_or_default() {
            pod.timers.arm(&game);
        }
    }
}

/// After an outage: tells the other pods about this pod's games, and makes every socket re-read the facts.
pub(super) async fn resync(pod: &Pod) {
    if let Some(bridge) = &pod.bridge {
        super::roster::introduce_all(bridge).await;
    }
    pod.rooms.wake_all();
}

/// After the connection was lost: closes sockets whose logins ended meanwhile. Retries until the records answer.
pub(super) async fn close_logged_out(pod: &Pod) {
    while let Err(error) = try_to_close(pod).await {
        tracing::debug!(%error, "cannot read which logins have ended; retrying");
        sleep(EVERY).await;
    }
}

async fn try_to_close(pod: &Pod) -> Result<(), Error> {
    let logins = pod.rooms.logins();
    let living = pod.records.living(&logins.keys().collect::<Vec<_>>()).await?;
    for (login, user) in logins.iter().filter(|(login, _)| !living.contains(*login)) {
        pod.rooms.close(SocketsOf::Login(user, Some(login)), Kind::LOGGED_OUT);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn another_server_is_told_of_once_if_it_lives_on() {
        let (own, both) = (PodName::from("a"), [PodName::from("a"), PodName::from("b")]);
        let mut strangers = Strangers::default();
        strangers.look(&own, &both);
        assert!(!strangers.told, "it may be the run before");
        tokio::time::advance(SURELY_ALIVE).await;
        strangers.look(&own, &both[..1]);
        strangers.look(&own, &both);
        assert!(!strangers.told, "another one, just now");
        tokio::time::advance(SURELY_ALIVE).await;
        strangers.look(&own, &both);
        assert!(strangers.told);
        strangers.look(&own, &both[..1]);
        assert!(!strangers.told);
    }
}
