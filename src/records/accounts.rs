//! Registered players: names, local passwords, and everything else stored about them.

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use super::transaction::{Lent, commit, transaction};
use crate::Error;
use crate::game::{LoginId, Timestamp, User, UserId, UserType};

/// The stored data of a registered player, except the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name that other players see.
    pub name: String,
    /// When the account was created.
    pub registered: Timestamp,
    /// The devices that are logged in, latest first.
    pub logins: Vec<KeptLogin>,
}

/// A login that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptLogin {
    /// When it started.
    pub started: Timestamp,
    /// When it was last refreshed.
    pub refreshed: Timestamp,
}

/// A player with a local password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAccount {
    /// The player.
    pub user: User,
    /// See [`crate::auth::password::hash`].
    pub password_hash: String,
    /// Whether the player has logged in from the given address before.
    pub knows_address: bool,
}

/// Addresses stored per player; a new one replaces the least recently used.
pub const ADDRESSES: i64 = 16;

/// The name of players without one.
const NAMELESS: &str = "Player";

const REGISTER: &str =
    "insert into users (id, name, registered_at) values ($1, coalesce($2, $4), $3)
     on conflict (id) do update set name = coalesce($2, users.name) returning name";

const OPEN: &str = "insert into local_accounts (user_id, name_key, password_hash)
     values ($1, $2, $3) on conflict (name_key) do nothing";

const FIND_BY_NAME: &str = "select u.id, u.name, l.password_hash, exists (
        select 1 from login_addresses a where a.user_id = l.user_id and a.address = $2)
     from local_accounts l join users u on u.id = l.user_id where l.name_key = $1";

const NOTE_ADDRESS: &str = "insert into login_addresses (user_id, address, seen_at)
     values ($1, $2, $3) on conflict (user_id, address) do update set seen_at = excluded.seen_at";

const FORGET_ADDRESSES: &str = "delete from login_addresses
     where user_id = $1 and address not in (select address from login_addresses
        where user_id = $1 order by seen_at desc, address limit $2)";

const LOGINS: &str =
    "select started_at, refreshed_at from logins where user_id = $1 order by refreshed_at desc, id";

impl Records {
    /// Creates a registered player, or renames the player if a name is given. Returns the stored name.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn register(
        &self,
        user: &UserId,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<String, Error> {
        let registered = with_db!(&self.db, |pool| {
            let query = sqlx::query_scalar(REGISTER).bind(user.as_str()).bind(name);
            query.bind(At(now)).bind(NAMELESS).fetch_one(pool).await
        });
        registered.map_err(failed)
    }

    /// Creates a registered player with a local password. `name_key` is unique. Returns whether it was free.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn open_account(
        &self,
        user: &User,
        name_key: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let id = user.id.as_str();
        let opened: sqlx::Result<bool> = with_db!(&self.db, |pool| async {
            let mut lent = Lent::from(pool).await?;
            let mut tx = lent.begin().await?;
            let query = sqlx::query(REGISTER).bind(id).bind(Some(&user.name));
            query.bind(At(now)).bind(NAMELESS).execute(&mut *tx).await?;
            let query = sqlx::query(OPEN).bind(id).bind(name_key).bind(password_hash);
            let is_free = query.execute(&mut *tx).await?.rows_affected() == 1;
            if is_free {
                commit!(tx)?
            } else {
                tx.rollback().await?
            }
            lent.give_back();
            Ok(is_free)
        }
        .await);
        opened.map_err(failed)
    }

    /// The local account of that name, and whether it has logged in from that address before.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn local_account(
        &self,
        name_key: &str,
        address: &str,
    ) -> Result<Option<LocalAccount>, Error> {
        let found: sqlx::Result<Option<(String, String, String, bool)>> =
            with_db!(&self.db, |pool| {
                let query = sqlx::query_as(FIND_BY_NAME).bind(name_key).bind(address);
                query.fetch_optional(pool).await
            });
        let found = found.map_err(failed)?;
        Ok(found.map(|(id, name, password_hash, knows_address)| {
            let id = UserId::from(id.as_str());
            let user = User { id, name, user_type: UserType::Registered };
            LocalAccount { user, password_hash, knows_address }
        }))
    }

    /// Stores the address of a login by password, as a keyed hash, which does not reveal the address. The latest
    /// [`ADDRESSES`] are kept.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn note_address(
        &self,
        user: &UserId,
        address: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let noted: sqlx::Result<()> = with_db!(&self.db, |pool| transaction!(pool, |tx| {
            let query = sqlx::query(NOTE_ADDRESS).bind(user.as_str()).bind(address);
            query.bind(At(now)).execute(&mut *tx).await?;
            let query = sqlx::query(FORGET_ADDRESSES).bind(user.as_str()).bind(ADDRESSES);
            query.execute(&mut *tx).await.map(drop)?
        })
        .await);
        noted.map_err(failed)
    }

    /// The hash of a player's local password.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn password_of(&self, user: &UserId) -> Result<Option<String>, Error> {
        let sql = "select password_hash from local_accounts where user_id = $1";
        let hash = with_db!(&self.db, |pool| {
            sqlx::query_scalar(sql).bind(user.as_str()).fetch_optional(pool).await
        });
        hash.map_err(failed)
    }

    /// Changes a password, and ends all logins but one. Returns the ended logins.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn change_password(
        &self,
        user: &UserId,
        password_hash: &str,
        except: Option<&LoginId>,
    ) -> Result<Vec<LoginId>, Error> {
        let change = "update local_accounts set password_hash = $2 where user_id = $1";
        let end = "delete from logins where user_id = $1 and id <> $2 returning id";
        let except = except.map_or("", LoginId::as_str);
        let ended: sqlx::Result<Vec<String>> =
            with_db!(&self.db, |pool| transaction!(pool, |tx| {
                let query = sqlx::query(change).bind(user.as_str()).bind(password_hash);
                query.execute(&mut *tx).await?;
                let query = sqlx::query_scalar(end).bind(user.as_str()).bind(except);
                query.fetch_all(&mut *tx).await?
            })
            .await);
        Ok(ended.map_err(failed)?.iter().map(|id| LoginId::from(id.as_str())).collect())
    }

    /// The stored data of a registered player, except the results.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn account(&self, user: &UserId) -> Result<Option<Account>, Error> {
        let sql = "select name, registered_at from users where id = $1";
        let found: sqlx::Result<Option<(String, At)>> = with_db!(&self.db, |pool| {
            sqlx::query_as(sql).bind(user.as_str()).fetch_optional(pool).await
        });
        let Some((name, At(registered))) = found.map_err(failed)? else {
            return Ok(None);
        };
        let logins: sqlx::Result<Vec<(At, At)>> = with_db!(&self.db, |pool| {
            sqlx::query_as(LOGINS).bind(user.as_str()).fetch_all(pool).await
        });
        let kept = |(At(started), At(refreshed))| KeptLogin { started, refreshed };
        let logins = logins.map_err(failed)?.into_iter().map(kept).collect();
        Ok(Some(Account { name, registered, logins }))
    }
}
