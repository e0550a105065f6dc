//! The health of this pod's dependencies: which are down, and since when.
//!
//! A service is up if it does real work: the records and Redis accept a write, the broker confirms a message. They are
//! checked periodically in the background, so that probes and new players are answered at once, even while a service
//! hangs.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;

use crate::game::Timestamp;
use crate::live::Live;
use crate::peers::Peers;
use crate::records::Records;

/// Interval between two checks.
const ROUND: Duration = Duration::from_secs(1);
/// The same while a service is down, so that players are accepted soon after it is back.
const ROUND_WHILE_AWAY: Duration = Duration::from_millis(250);

/// The services, in the order of messages.
const SERVICES: [&str; 3] = ["the records", "the live state", "the broker"];

/// Since when each of the services is down, if it is.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<[Option<Timestamp>; SERVICES.len()]>);

impl Health {
    /// One sentence about the services that are down; `None` if all are up.
    pub(crate) fn complaint(&self) -> Option<String> {
        let away = self.0.lock();
        let complaints: Vec<_> = SERVICES
            .iter()
            .zip(away.iter())
            .filter_map(|(name, since)| Some(format!("{name} since {}", (*since)?.with_z())))
            .collect();
        let complaint = || format!("away: {}", complaints.join(", "));
        (!complaints.is_empty()).then(complaint)
    }

    /// The dependencies (`records`, `live state`, `broker`), and since when each is down.
    pub(crate) fn away(&self) -> [(&'static str, Option<Timestamp>); SERVICES.len()] {
        let away = *self.0.lock();
        let name = |service: usize| SERVICES[service].trim_start_matches("the ");
        std::array::from_fn(|service| (name(service), away[service]))
    }

    /// Records the outcome of a check: up, or the cause of the failure. An outage is two lines of the log.
    fn record(&self, service: usize, answer: Result<(), String>, now: Timestamp) {
        let since = &mut self.0.lock()[service];
        match (answer, *since) {
            (Ok(()), Some(_)) => {
                tracing::info!("{} can be used again", SERVICES[service]);
                *since = None;
            }
            (Err(cause), None) => {
                tracing::warn!(cause, "{} cannot be used: no new players", SERVICES[service]);
                *since = Some(now);
            }
            _ => {}
        }
    }
}

/// The services, and their health.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) records: Records,
    pub(crate) live: Live,
    pub(crate) peers: Peers,
    pub(crate) health: Arc<Health>,
}

impl Services {
    /// Checks for ever.
    pub(crate) async fn watch(self) {
        loop {
            self.look().await;
            let is_well = self.health.complaint().is_none();
            sleep(if is_well { ROUND } else { ROUND_WHILE_AWAY }).await;
        }
    }

    /// Checks once.
    pub(crate) async fn look(&self) {
        let (records, live) = tokio::join!(self.records.probe(), self.live.probe());
        let broker = self.peers.check();
        for (service, answer) in [records, live, broker].into_iter().enumerate() {
            self.health.record(service, answer, Timestamp::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_away_is_named_with_the_time_since_when() {
        let (health, away) = (Health::default(), || Err("it is full".to_owned()));
        assert_eq!(health.complaint(), None);
        health.record(0, away(), Timestamp(0));
        health.record(0, away(), Timestamp(9));
        health.record(2, away(), Timestamp(1_000_000));
        let since = "away: the records since 1970-01-01T00:00:00.000000Z, \
                     the broker since 1970-01-01T00:00:01.000000Z";
        assert_eq!(health.complaint().as_deref(), Some(since));
        health.record(0, Ok(()), Timestamp(9));
        health.record(2, Ok(()), Timestamp(9));
        assert_eq!(health.complaint(), None);
    }
}
