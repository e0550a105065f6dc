//! Registered players: their names, their passwords if they have one here, and all that is known of them.

use super::Records;
use super::db::{At, with_db};
use crate::Error;
use crate::game::{Timestamp, User, UserId, UserType};

/// What is kept of a registered player beside the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name that others see.
    pub name: String,
    /// Since when.
    pub registered: Timestamp,
    /// The devices that are logged in, the latest first.
    pub logins: Vec<KeptLogin>,
}

/// A login that is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptLogin {
    /// When it began.
    pub started: Timestamp,
    /// When it was last refreshed.
    pub refreshed: Timestamp,
}

const REGISTER: &str = "insert into users (id, name, registered_at) values ($1, $2, $3)
     on conflict (id) do update set name = excluded.name";

const OPEN: &str = "insert into local_accounts (user_id, name_key, password_hash)
     values ($1, $2, $3) on conflict (name_key) do nothing";

const FIND_BY_NAME: &str = "select u.id, u.name, l.password_hash
     from local_accounts l join users u on u.id = l.user_id where l.name_key = $1";

const LOGINS: &str =
    "select started_at, refreshed_at from logins where user_id = $1 order by refreshed_at desc, id";

impl Records {
    /// Makes or renames a registered player.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if the store does not answer.
    pub async fn register(&self, user: &UserId, name: &str, now: Timestamp) -> Result<(), Error> {
        let registered = with_db!(&self.db, |pool| {
            let query = sqlx::query(REGISTER).bind(user.as_str()).bind(name).bind(At(now));
            query.execute(pool).await.map(drop)
        });
        registered.map_err(Error::internal)
    }

    /// Makes a registered player who logs in by a password of this server. `name_key` is what no two of
    /// them share. Returns whether it was free.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if the store does not answer.
    pub async fn open_account(
        &self,
        user: &User,
        name_key: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let id = user.id.as_str();
        let opened: sqlx::Result<bool> = with_db!(&self.db, |pool| async {
            let mut tx = pool.begin().await?;
            let query = sqlx::query(REGISTER).bind(id).bind(&user.name).bind(At(now));
            query.execute(&mut *tx).await?;
            let query = sqlx::query(OPEN).bind(id).bind(name_key).bind(password_hash);
            let is_free = query.execute(&mut *tx).await?.rows_affected() == 1;
            // Without a commit nothing of it has happened.
            if is_free { tx.commit().await.map(|()| true) } else { Ok(false) }
        }
        .await);
        opened.map_err(Error::internal)
    }

    /// The player of that name who logs in by a password of this server, and its hash.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if the store does not answer.
    pub async fn local_account(&self, name_key: &str) -> Result<Option<(User, String)>, Error> {
        let found: sqlx::Result<Option<(String, String, String)>> = with_db!(&self.db, |pool| {
            sqlx::query_as(FIND_BY_NAME).bind(name_key).fetch_optional(pool).await
        });
        let found = found.map_err(Error::internal)?;
        Ok(found.map(|(id, name, hash)| {
            let id = UserId::from(id.as_str());
            (User { id, name, user_type: UserType::Registered }, hash)
        }))
    }

    /// What is kept of a registered player beside the results.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if the store does not answer.
    pub async fn account(&self, user: &UserId) -> Result<Option<Account>, Error> {
        let sql = "select name, registered_at from users where id = $1";
        let found: sqlx::Result<Option<(String, At)>> = with_db!(&self.db, |pool| {
            sqlx::query_as(sql).bind(user.as_str()).fetch_optional(pool).await
        });
        let Some((name, At(registered))) = found.map_err(Error::internal)? else {
            return Ok(None);
        };
        let logins: sqlx::Result<Vec<(At, At)>> = with_db!(&self.db, |pool| {
            sqlx::query_as(LOGINS).bind(user.as_str()).fetch_all(pool).await
        });
        let kept = |(At(started), At(refreshed))| KeptLogin { started, refreshed };
        let logins = logins.map_err(Error::internal)?.into_iter().map(kept).collect();
        Ok(Some(Account { name, registered, logins }))
    }

    /// Forgets a registered player, with logins and results. The races of others stay as they were.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if the store does not answer.
    pub async fn forget(&self, user: &UserId) -> Result<(), Error> {
        let sql = "delete from users where id = $1";
        let forgotten = with_db!(&self.db, |pool| {
            sqlx::query(sql).bind(user.as_str()).execute(pool).await.map(drop)
        });
        forgotten.map_err(Error::internal)
    }
}
