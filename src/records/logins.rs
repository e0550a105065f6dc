//! Logins: which devices of a player are logged in, and the refresh tokens that keep them so.
//!
//! A refresh token is used once: it is replaced by another one of the same login. Its fingerprint stays,
//! so that a second use is noticed: within a short grace it is the same client, which asked several times
//! at once or missed the answer, and gets one more token; later it is somebody else, or was before, and
//! the login ends. (OAuth 2.0 Security Best Current Practice, RFC 9700, section 4.14.2.)

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use super::transaction::transaction;
use crate::Error;
use crate::game::{LoginId, Timestamp, User, UserId, UserType};

/// For how long a refresh token that was replaced is still taken.
pub const GRACE: Duration = Duration::from_secs(30);

/// Logins of one player at once; when there are more, the one that was away for the longest time ends.
const LOGINS: i64 = 32;

/// Refresh tokens that are remembered of a login, replaced ones too. One that is older is as good as
/// unknown.
const TOKENS: i64 = 128;

/// Logins that are asked about in one statement.
const AT_ONCE: usize = 500;

/// A refresh token as it is stored.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// See [`crate::auth::fingerprint`].
    pub fingerprint: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// A login that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Which.
    pub login: LoginId,
    /// Those that have made way for it.
    pub ended: Vec<LoginId>,
}

/// What became of a refresh token that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The other one took its place.
    Replaced {
        /// Of this login,
        login: LoginId,
        /// and this player, by the name that is stored.
        user: User,
    },
    /// It had been replaced before. The login has ended.
    Reused {
        /// Which.
        login: LoginId,
        /// Whose.
        user: UserId,
    },
    /// It is not stored, or not any more.
    Unknown,
}

const NEW_LOGIN: &str =
    "insert into logins (id, user_id, started_at, refreshed_at) values ($1, $2, $3, $3)";

/// Those that are too old, and those that are too many.
const END_SURPLUS: &str =
    "delete from logins where user_id = $1 and (refreshed_at < $3 or id not in (
        select id from logins where user_id = $1 order by refreshed_at desc, id limit $2))
     returning id";

/// Takes the lock, too, under which the tokens of a login change.
const TOUCH_LOGIN: &str = "update logins set refreshed_at = $2
     where id = (select login_id from refresh_tokens where fingerprint = $1 and expires_at > $2)
     returning id, user_id";

const END_LOGIN: &str = "delete from logins where id = $1";

const KEEP_TOKEN: &str =
    "insert into refresh_tokens (fingerprint, login_id, issued_at, expires_at, replaced_at)
     values ($1, $2, $3, $4, $5)";

const REPLACED_AT: &str = "select replaced_at from refresh_tokens where fingerprint = $1";

/// All that are good, since parallel requests have got one each.
const REPLACE_ALL: &str =
    "update refresh_tokens set replaced_at = $2 where login_id = $1 and replaced_at is null";

const FORGET_OLD: &str = "delete from refresh_tokens where login_id = $1 and (expires_at <= $2
        or fingerprint not in (select fingerprint from refresh_tokens where login_id = $1
            order by issued_at desc, fingerprint limit $3))";

const NAME: &str = "select name from users where id = $1";

const TAKE_CLEAR: &str = "update users set refresh_token = null
     where id = $1 and refresh_token = $2 returning name";

/// The steps of a transaction, on either database: their connections have no type in common.
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
                // As long ago as a token is good for.
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

/// Runs steps in one transaction, on whichever database it is.
macro_rules! in_transaction {
    ($db:expr, |$tx:ident| $steps:expr) => {
        with_db!($db, |pool| transaction!(pool, |$tx| $steps).await).map_err(failed)
    };
}

impl Records {
    /// A player has logged in, and has this refresh token.
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

    /// A refresh token was shown: `new` takes its place.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn refresh(&self, shown: &str, new: &StoredToken) -> Result<Refresh, Error> {
        in_transaction!(&self.db, |tx| tx.replace(shown, new).await?)
    }

    /// A refresh token was shown which the old backend has stored in clear: that is good once, and begins
    /// a login like any other.
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

    /// Those of `logins` that have not ended.
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

    /// Forgets the refresh token that the old backend has stored of a player.
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
