//! Checks whether the records can be written, for readiness and the admission of new players.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use super::Records;
use super::db::{At, with_db};
use crate::game::Timestamp;

/// Timeout of a probe.
const PATIENCE: Duration = Duration::from_secs(3);

/// No probe writes for this long after any other write, which proves the same and spares the disk.
const FRESH: Duration = Duration::from_secs(5);

/// Rows of the table: servers on one database rarely share one, so a server that hangs in its probe blocks few others.
const SLOTS: i32 = 64;

const WRITE: &str = "insert into health_probes (slot, written_at) values ($1, $2)
     on conflict (slot) do update set written_at = excluded.written_at";

/// Outcome of the latest writes. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Writes {
    slot: i32,
    latest: Arc<Mutex<LastWrite>>,
}

#[derive(Debug, Default)]
struct LastWrite {
    /// When a write last succeeded.
    succeeded: Option<Instant>,
    /// The journal's error, if it has failed since its last success.
    stuck: Option<String>,
}

impl Default for Writes {
    fn default() -> Self {
        Self { slot: rand::random_range(0..SLOTS), latest: Arc::default() }
    }
}

impl Writes {
    /// Records an attempt of the journal to write.
    pub(super) fn record(&self, outcome: &Result<(), String>) {
        let mut latest = self.latest.lock();
        latest.stuck = outcome.as_ref().err().cloned();
        if outcome.is_ok() {
            latest.succeeded = Some(Instant::now());
        }
    }

    fn is_fresh(&self) -> bool {
        self.latest.lock().succeeded.is_some_and(|at| at.elapsed() < FRESH)
    }
}

impl Records {
    /// Checks that the records can be read and written. Writes only if there was no write for five seconds, or if the
    /// last one failed.
    ///
    /// # Errors
    /// The cause, for the log.
    pub async fn probe(&self) -> Result<(), String> {
        let probed = timeout(PATIENCE, self.try_probe()).await;
        probed.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))?;
        // One row may still fit on a disk that has no room for the journal's changes.
        self.writes.latest.lock().stuck.clone().map_or(Ok(()), Err)
    }

    async fn try_probe(&self) -> Result<(), String> {
        let said = |error: sqlx::Error| error.to_string();
        if self.writes.is_fresh() {
            let read = "select 1";
            return with_db!(&self.db, |pool| sqlx::query(read).execute(pool).await.map(drop))
                .map_err(said);
        }
        let (slot, now) = (self.writes.slot, At(Timestamp::now()));
        if let Some(local) = &self.local {
            let query = sqlx::query(WRITE).bind(slot).bind(now);
            query.execute(local).await.map_err(said)?;
        }
        if self.local.is_none() || self.is_apart() {
            with_db!(&self.db, |pool| {
                sqlx::query(WRITE).bind(slot).bind(now).execute(pool).await.map(drop)
            })
            .map_err(said)?;
        }
        self.writes.latest.lock().succeeded = Some(Instant::now());
        Ok(())
    }
}
