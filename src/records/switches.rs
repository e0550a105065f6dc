//! The handler modules that operators have switched off on all pods, stored for pods that start later.

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use crate::Error;
use crate::game::Timestamp;

/// A handler module that is switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchedOff {
    /// Its name; may be unknown to this version.
    pub module: String,
    /// Since when.
    pub since: Timestamp,
    /// The operator: address and authorisation.
    pub operator: String,
}

impl Records {
    /// Stores that a module is off. An earlier entry stays.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn switch_off(&self, off: &SwitchedOff) -> Result<(), Error> {
        let sql = "insert into modules_off (module, since, operator) values ($1, $2, $3) \
                   on conflict (module) do nothing";
        let SwitchedOff { module, since, operator } = off;
        let kept = with_db!(&self.db, |pool| {
            let query = sqlx::query(sql).bind(module).bind(At(*since)).bind(operator);
            query.execute(pool).await.map(drop)
        });
        kept.map_err(failed)
    }

    /// Stores that a module is on.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn switch_on(&self, module: &str) -> Result<(), Error> {
        let sql = "delete from modules_off where module = $1";
        let kept = with_db!(&self.db, |pool| {
            sqlx::query(sql).bind(module).execute(pool).await.map(drop)
        });
        kept.map_err(failed)
    }

    /// The modules that are off.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn switched_off(&self) -> Result<Vec<SwitchedOff>, Error> {
        let sql = "select module, since, operator from modules_off order by module";
        let rows: sqlx::Result<Vec<(String, At, String)>> =
            with_db!(&self.db, |pool| sqlx::query_as(sql).fetch_all(pool).await);
        let off = |(module, At(since), operator)| SwitchedOff { module, since, operator };
        Ok(rows.map_err(failed)?.into_iter().map(off).collect())
    }
}
