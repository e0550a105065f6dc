//! The audit trail: actions of operators, kept for good.

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use crate::Error;
use crate::game::Timestamp;

/// One action of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When it happened.
    pub at: Timestamp,
    /// The operator's address, and whether a token was used.
    pub operator: String,
    /// The action, such as `close game`.
    pub action: String,
    /// The target: the id of a game or a player.
    pub target: String,
}

impl Records {
    /// Stores an action.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn note_act(&self, act: &Act) -> Result<(), Error> {
        let sql =
            "insert into operations_audit (at, operator, action, target) values ($1, $2, $3, $4)";
        let Act { at, operator, action, target } = act;
        let noted = with_db!(&self.db, |pool| {
            let query = sqlx::query(sql).bind(At(*at)).bind(operator).bind(action).bind(target);
            query.execute(pool).await.map(drop)
        });
        noted.map_err(failed)
    }

    /// The newest actions, at most `limit`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn last_acts(&self, limit: i64) -> Result<Vec<Act>, Error> {
        type ActRow = (At, String, String, String);
        let sql =
            "select at, operator, action, target from operations_audit order by id desc limit $1";
        let rows: sqlx::Result<Vec<ActRow>> =
            with_db!(&self.db, |pool| sqlx::query_as(sql).bind(limit).fetch_all(pool).await);
        let act =
            |(at, operator, action, target): ActRow| Act { at: at.0, operator, action, target };
        Ok(rows.map_err(failed)?.into_iter().map(act).collect())
    }
}
