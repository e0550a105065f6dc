//! Clocks of handler modules, as the pods share them: which turn of a clock is done, and which pod is at work on the
//! next one.
//!
//! A claim is a lease: the pod that holds it renews it while it works. If the pod dies, another one may claim the turn when
//! the lease has ended.

use std::time::Duration;

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use crate::Error;
use crate::game::Timestamp;

/// A pod's right to run one turn of a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnClaim {
    /// The clock.
    pub name: &'static str,
    /// The beginning of the turn.
    pub turn: Timestamp,
    /// The beginning of the last turn that is done.
    pub done: Timestamp,
    /// Random: no other claim has it.
    holder: String,
}

/// The outcome of an attempt to claim a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It is this pod's.
    Ours(TurnClaim),
    /// Another pod holds it until then, or a failed attempt is to be repeated then.
    Held(Timestamp),
    /// It is done.
    Done,
}

const BEGIN: &str = "insert into module_clocks (name, done_at) values ($1, $2)
     on conflict (name) do nothing";

const CLAIM: &str = "update module_clocks set holder = $2, held_until = $3
     where name = $1 and done_at < $4 and (held_until is null or held_until <= $5)
     returning done_at";

const LOOK: &str = "select done_at, held_until from module_clocks where name = $1";

const RENEW: &str = "update module_clocks set held_until = $3 where name = $1 and holder = $2";

const DONE: &str = "update module_clocks set done_at = $3, holder = null, held_until = null
     where name = $1 and holder = $2";

const PUT_OFF: &str = "update module_clocks set holder = null, held_until = $3
     where name = $1 and holder = $2";

impl Records {
    /// Stores a clock that is new: its turns up to `turn` count as done.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn begin_clock(&self, name: &str, turn: Timestamp) -> Result<(), Error> {
        let begun = with_db!(&self.db, |pool| {
            sqlx::query(BEGIN).bind(name).bind(At(turn)).execute(pool).await.map(drop)
        });
        begun.map_err(failed)
    }

    /// Claims a turn for so long, unless it is done, or another pod holds it.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn claim_turn(
        &self,
        name: &'static str,
        turn: Timestamp,
        lease: Duration,
    ) -> Result<Claimed, Error> {
        let (now, holder) = (Timestamp::now(), format!("{:032x}", rand::random::<u128>()));
        let claimed: sqlx::Result<Option<At>> = with_db!(&self.db, |pool| {
            let query = sqlx::query_scalar(CLAIM).bind(name).bind(&holder).bind(At(now + lease));
            query.bind(At(turn)).bind(At(now)).fetch_optional(pool).await
        });
        if let Some(At(done)) = claimed.map_err(failed)? {
            return Ok(Claimed::Ours(TurnClaim { name, turn, done, holder }));
        }
        let known: sqlx::Result<Option<(At, Option<At>)>> = with_db!(&self.db, |pool| {
            sqlx::query_as(LOOK).bind(name).fetch_optional(pool).await
        });
        Ok(match known.map_err(failed)? {
            Some((At(done), _)) if done >= turn => Claimed::Done,
            Some((_, Some(At(until)))) => Claimed::Held(until),
            // Released, or lost with the table, in between.
            Some((_, None)) | None => Claimed::Held(now),
        })
    }

    /// Holds a claim for so much longer. Returns whether it is still held.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn renew_turn(
        &self,
        claim: &TurnClaim,
        lease: Duration,
    ) -> Result<bool, Error> {
        self.end_turn(RENEW, claim, Timestamp::now() + lease).await
    }

    /// The turn is done. Returns whether the claim was still held.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn finish_turn(&self, claim: &TurnClaim) -> Result<bool, Error> {
        self.end_turn(DONE, claim, claim.turn).await
    }

    /// The turn has failed, and may be claimed again after a pause. Returns whether the claim was still held.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn put_off_turn(
        &self,
        claim: &TurnClaim,
        pause: Duration,
    ) -> Result<bool, Error> {
        self.end_turn(PUT_OFF, claim, Timestamp::now() + pause).await
    }

    async fn end_turn(
        &self,
        sql: &'static str,
        claim: &TurnClaim,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let ended = with_db!(&self.db, |pool| {
            let query = sqlx::query(sql).bind(claim.name).bind(&claim.holder).bind(At(at));
            query.execute(pool).await.map(|done| done.rows_affected() == 1)
        });
        ended.map_err(failed)
    }
}
