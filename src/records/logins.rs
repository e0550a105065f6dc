//! Logins: the devices on which a player is logged in, and their refresh tokens.
//!
//! A refresh token is single-use: another one of the same login replaces it. Its fingerprint stays, so that reuse is
//! detected. Within a short grace period it is the same client, which sent concurrent requests or missed the answer,
//! and gets one more token; later reuse means that the token was copied, and the login ends. (OAuth 2.0 Security Best
//! Current Practice, RFC 9700, section 4.14.2.)

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use super::transaction::transaction;
use crate::Error;
use crate::game::{LoginId, Timestamp, User, UserId, UserType};

/// Grace period in which a replaced refresh token is still accepted.
pub const GRACE: Duration = Duration::from_secs(30);

/// Concurrent logins of one player; beyond that, the one that was inactive the longest ends.
const LOGINS: i64 = 32;

/// Refresh tokens stored per login, including replaced ones. Older ones are unknown.
const TOKENS: i64 = 128;

/// Logins per statement.
const AT_ONCE: usize = 500;

/// A refresh token as it is stored.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// See [`crate::auth::fingerprint`].
    pub fingerprint: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
}

/// A new login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Which.
    pub login: LoginId,
    /// The logins that ended because there were too many.
    pub ended: Vec<LoginId>,
}

/// The outcome of presenting a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It was replaced by the new one.
    Replaced {
        /// The login.
        login: LoginId,
        /// The player, with the stored name.
        user: User,
    },
    /// It had been replaced before, so the login has ended.
    Reused {
        /// Which.
        login: LoginId,
        /// The player.
        user: UserId,
    },
    /// It is not stored, or no longer.
    Unknown,
}

const NEW_LOGIN: &str =
    "insert into logins (id, user_id, started_at, refreshed_at) values ($1, $2, $3, $3)";

/// Ends logins that are too old, and those beyond the limit.
const END_SURPLUS: &str =
    "delete from logins where user_id = $1 and (refreshed_at < $3 or id not in (
        select id from logins where user_id = $1 order by refreshed_at desc, id limit $2))
     returning id";

/// Also locks the login's row, which guards changes of its tokens.
const TOUCH_LOGIN: &str = "update logins set refreshed_at = $2
     where id = (select login_id from refresh_tokens where fingerprint = $1 and expires_at > $2)
     returning id, user_id";

const END_LOGIN: &str = "delete from logins where id = $1";

const KEEP_TOKEN: &str =
    "insert into refresh_tokens (fingerprint, login_id, issued_at, expires_at, replaced_at)
     values ($1, $2, $3, $4, $5)";

const REPLACED_AT: &str = "select replaced_at from refresh_tokens where fingerprint = $1";

/// Replaces all valid tokens, since concurrent requests got one each.
const REPLACE_ALL: &str =
    "update refresh_tokens set replaced_at = $2 where login_id = $1 and replaced_at is null";

const FORGET_OLD: &str = "delete from refresh_tokens where login_id = $1 and (expires_at <= $2
        or fingerprint not in (select fingerprint from refresh_tokens where login_id = $1
            order by issued_at desc, fingerprint limit $3))";

const NAME: &str = "select name from users where id = $1";

const TAKE_CLEAR: &str = "update users set refresh_token = null
     where id = $1 and refresh_token = $2 returning name";

/// The steps of a transaction on either database, whose connections have no common type.
trait Steps {
    async fn begin_login(&mut self, user: &UserId, token: &StoredToken) -> sqlx::Result<Begun>;
    async fn keep_token(
        &mut self,
        login: &LoginId,
        token: &StoredToken,
        replaced: Option<Timestamp>,
    ) -> sqlx::Result<()>;
    async fn replace(&mut self, old: &str, new: &StoredToken) -> sqlx::Result<Refresh>;
    async fn take_clear(&mut self, user: &UserId, clear: &str) -> sqlx::Result<Option<String>>;
}

macro_rules! steps {
    ($connection:ty) => {
        impl Steps for $connection {
            async fn begin_login(
                &mut self,
                user: &UserId,
                token: &StoredToken,
            ) -> sqlx::Result<Begun> {
                let now = token.issued;
                let login = LoginId::new();
                let query = sqlx::query(NEW_LOGIN).bind(login.as_str()).bind(user.as_str());
                query.bind(At(now)).execute(&mut *self).await?;
                // One token lifetime ago.
                let too_old = now - token.expires.after(now);
                let query = sqlx::query_scalar::<_, String>(END_SURPLUS).bind(user.as_str());
                let query = query.bind(LOGINS).bind(At(too_old));
                let ended = query.fetch_all(&mut *self).await?;
                Ok(Begun { login, ended: ended.iter().map(|id| id.as_str().into()).collect() })
            }

            async fn keep_token(
                &mut self,
                login: &LoginId,
                token: &StoredToken,
                replaced: Option<Timestamp>,
            ) -> sqlx::Result<()> {
                let query = sqlx::query(KEEP_TOKEN).bind(&token.fingerprint).bind(login.as_str());
                let query = query.bind(At(token.issued)).bind(At(token.expires));
                query.bind(replaced.map(At)).execute(&mut *self).await.map(drop)
            }

            async fn replace(&mut self, old: &str, new: &StoredToken) -> sqlx::Result<Refresh> {
                let now = new.issued;
                let touched = sqlx::query_as::<_, (String, String)>(TOUCH_LOGIN);
                let touched = touched.bind(old).bind(At(now)).fetch_optional(&mut *self).await?;
                let Some((login, user)) = touched else { return Ok(Refresh::Unknown) };
                let (login, id) = (LoginId::from(login.as_str()), UserId::from(user.as_str()));
                let replaced = sqlx::query_scalar::<_, Option<At>>(REPLACED_AT).bind(old);
                match replaced.fetch_one(&mut *self).await? {
                    None => {
                        let query = sqlx::query(REPLACE_ALL).bind(login.as_str()).bind(At(now));
                        query.execute(&mut *self).await?;
                    }
                    Some(At(at)) if now < at + GRACE => {}
                    Some(_) => {
                        let query = sqlx::query(END_LOGIN).bind(login.as_str());
                        query.execute(&mut *self).await?;
                        return Ok(Refresh::Reused { login, user: id });
                    }
                }
                self.keep_token(&login, new, None).await?;
                let query = sqlx::query(FORGET_OLD).bind(login.as_str()).bind(At(now));
                query.bind(TOKENS).execute(&mut *self).await?;
                let name = sqlx::query_scalar::<_, String>(NAME).bind(id.as_str());
                let name = name.fetch_one(&mut *self).await?;
                let user = User { id, name, user_type: UserType::Registered };
                Ok(Refresh::Replaced { login, user })
            }

            async fn take_clear(
                &mut self,
                user: &UserId,
                clear: &str,
            ) -> sqlx::Result<Option<String>> {
                let query = sqlx::query_scalar(TAKE_CLEAR).bind(user.as_str()).bind(clear);
                query.fetch_optional(&mut *self).await
            }
        }
    };
}

steps!(PgConnection);
steps!(SqliteConnection);

/// Runs steps in one transaction, on either database.
macro_rules! in_transaction {
    ($db:expr, |$tx:ident| $steps:expr) => {
        with_db!($db, |pool| transaction!(pool, |$tx| $steps).await).map_err(failed)
    };
}

impl Records {
    /// Stores a new login of a player, with its refresh token.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn log_in(&self, user: &UserId, token: &StoredToken) -> Result<Begun, Error> {
        in_transaction!(&self.db, |tx| {
            let begun = tx.begin_login(user, token).await?;
            tx.keep_token(&begun.login, token, None).await?;
            begun
        })
    }

    /// Replaces a presented refresh token by `new`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn refresh(&self, shown: &str, new: &StoredToken) -> Result<Refresh, Error> {
        in_transaction!(&self.db, |tx| tx.replace(shown, new).await?)
    }

    /// Accepts a refresh token that the Python backend stored in plain text, once; it starts a login like any other.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn refresh_clear(
        &self,
        user: &UserId,
        clear: &str,
        shown: &StoredToken,
        new: &StoredToken,
    ) -> Result<Refresh, Error> {
        in_transaction!(&self.db, |tx| match tx.take_clear(user, clear).await? {
            None => Refresh::Unknown,
            Some(name) => {
                let Begun { login, .. } = tx.begin_login(user, new).await?;
                tx.keep_token(&login, shown, Some(new.issued)).await?;
                tx.keep_token(&login, new, None).await?;
                let user = User { id: user.clone(), name, user_type: UserType::Registered };
                Refresh::Replaced { login, user }
            }
        })
    }

    /// Ends a login of a player.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn log_out(&self, user: &UserId, login: &LoginId) -> Result<(), Error> {
        let sql = "delete from logins where id = $1 and user_id = $2";
        let ended = with_db!(&self.db, |pool| {
            let query = sqlx::query(sql).bind(login.as_str()).bind(user.as_str());
            query.execute(pool).await.map(drop)
        });
        ended.map_err(failed)
    }

    /// The logins among `logins` that have not ended.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn living(&self, logins: &[&LoginId]) -> Result<HashSet<LoginId>, Error> {
        let mut living = HashSet::new();
        for some in logins.chunks(AT_ONCE) {
            let names: Vec<_> = (1..=some.len()).map(|number| format!("${number}")).collect();
            let sql = format!("select id from logins where id in ({})", names.join(", "));
            let found: sqlx::Result<Vec<String>> = with_db!(&self.db, |pool| {
                let query = sqlx::query_scalar(AssertSqlSafe(sql));
                some.iter().fold(query, |it, login| it.bind(login.as_str())).fetch_all(pool).await
            });
            living.extend(found.map_err(failed)?.iter().map(|id| id.as_str().into()));
        }
        Ok(living)
    }

    /// Deletes a player's refresh token of the Python backend.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn forget_clear(&self, user: &UserId) -> Result<(), Error> {
        let sql = "update users set refresh_token = null where id = $1";
        let query = with_db!(&self.db, |pool| sqlx::query(sql)
            .bind(user.as_str())
            .execute(pool)
            .await
            .map(drop));
        query.map_err(failed)
    }
}
