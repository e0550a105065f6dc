//! Writes of items: one, or several in one transaction, each on a condition.

use sqlx::{PgConnection, SqliteConnection};

use super::{BATCH, BODY, INDEXES, KEY, SORT_KEY, SortKey};
use crate::game::{Timestamp, UserId};
use crate::records::Records;
use crate::records::db::{At, Db, timed};
use crate::records::failure::failed;
use crate::records::transaction::{Lent, commit};
use crate::{Error, Kind};

/// What must be stored under a key for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything, or nothing.
    Anything,
    /// Nothing. An expired item that is not deleted yet counts as something.
    Absent,
    /// The item with this version: it has not changed since it was read.
    Version(i64),
    /// Nothing, or an item that comes after the new one in the first index: of several, the first one stays. The account
    /// of its owner may be gone; then nothing is written.
    After,
}

/// An item to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// The account or guest that it belongs to.
    pub owner: Option<UserId>,
    /// The version of the type that writes the body.
    pub form: i32,
    /// JSON.
    pub body: String,
    /// One for each index of the type.
    pub sort_keys: Vec<SortKey>,
    /// When it is deleted.
    pub expires_at: Option<Timestamp>,
}

/// A write of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemWrite {
    /// Its collection.
    pub collection: &'static str,
    /// Its key.
    pub key: String,
    /// The condition.
    pub expected: Expected,
    /// The new item; `None` deletes it.
    pub item: Option<NewItem>,
}

impl ItemWrite {
    /// Checks the bounds.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` or `PAYLOAD_TOO_LARGE`.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_key = (1..=KEY).contains(&self.key.len()) && !self.key.contains('\0');
        if !is_key {
            let message = format!("the key of an item must have 1 to {KEY} bytes, and no NUL");
            return Err(Error::validation(message));
        }
        let Some(item) = &self.item else { return Ok(()) };
        if item.sort_keys.iter().any(|it| it.0.len() > SORT_KEY) {
            return Err(Error::validation(format!("a sort key must have up to {SORT_KEY} bytes")));
        }
        if item.body.len() > BODY {
            let message = format!("the body of an item must have up to {BODY} bytes");
            return Err(Error::new(Kind::PAYLOAD_TOO_LARGE, message));
        }
        Ok(())
    }
}

/// A new item begins with the time as its version, so that an item that was deleted and stored again has a later one.
macro_rules! insert {
    ($values:literal, $on_conflict:expr) => {
        concat!(
            "insert into module_items (collection, key, account, guest, form, body,
                sort_1, sort_2, sort_3, sort_4, updated_at, expires_at, version) ",
            $values,
            " on conflict (collection, key) do ",
            $on_conflict
        )
    };
    ($on_conflict:expr) => {
        insert!("values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", $on_conflict)
    };
}

macro_rules! replace {
    ($condition:literal) => {
        concat!(
            "update set account = excluded.account, guest = excluded.guest, form = excluded.form,
                body = excluded.body, sort_1 = excluded.sort_1, sort_2 = excluded.sort_2,
                sort_3 = excluded.sort_3, sort_4 = excluded.sort_4, updated_at = excluded.updated_at,
                expires_at = excluded.expires_at, version = case
                    when excluded.version > module_items.version then excluded.version
                    else module_items.version + 1 end",
            $condition
        )
    };
}

const INSERT: &str = insert!("nothing");

const UPSERT: &str = insert!(replace!(""));

/// Not for an account that is gone: the transaction must succeed all the same.
const DERIVE: &str = insert!(
    "select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
        where cast($3 as text) is null or exists (select 1 from users where id = cast($3 as text))",
    replace!(" where excluded.sort_1 < module_items.sort_1")
);

const UPDATE: &str = "update module_items set account = $3, guest = $4, form = $5, body = $6,
        sort_1 = $7, sort_2 = $8, sort_3 = $9, sort_4 = $10, updated_at = $11, expires_at = $12,
        version = version + 1
     where collection = $1 and key = $2 and version = $13";

const DELETE: &str = "delete from module_items where collection = $1 and key = $2";

const DELETE_VERSION: &str =
    "delete from module_items where collection = $1 and key = $2 and version = $3";

/// The same statements for both databases, whose connections have no common type.
macro_rules! write_item {
    ($name:ident, $connection:ty) => {
        /// Writes one item. Returns whether its condition was met.
        async fn $name(
            connection: &mut $connection,
            write: &ItemWrite,
            now: Timestamp,
        ) -> sqlx::Result<bool> {
            let Some(item) = &write.item else {
                let (sql, version) = match write.expected {
                    Expected::Version(version) => (DELETE_VERSION, Some(version)),
                    Expected::Anything | Expected::Absent | Expected::After => (DELETE, None),
                };
                let query = sqlx::query(sql).bind(write.collection).bind(&write.key);
                let query = if version.is_some() { query.bind(version) } else { query };
                let done = query.execute(&mut *connection).await?;
                return Ok(done.rows_affected() == 1);
            };
            let (sql, version) = match write.expected {
                Expected::Anything => (UPSERT, now.0),
                Expected::Absent => (INSERT, now.0),
                Expected::Version(version) => (UPDATE, version),
                Expected::After => (DERIVE, now.0),
            };
            let owner = |is_guest| {
                let owner = item.owner.as_ref().filter(|it| it.is_guest() == is_guest);
                owner.map(UserId::as_str)
            };
            let mut query = sqlx::query(sql).bind(write.collection).bind(&write.key);
            query = query.bind(owner(false)).bind(owner(true)).bind(item.form).bind(&item.body);
            for slot in 0..INDEXES {
                let key = item.sort_keys.get(slot).filter(|key| !key.is_empty());
                query = query.bind(key.map(|key| key.0.as_slice()));
            }
            query = query.bind(At(now)).bind(item.expires_at.map(At)).bind(version);
            Ok(query.execute(&mut *connection).await?.rows_affected() == 1)
        }
    };
}

write_item!(write_lite, SqliteConnection);
write_item!(write_pg, PgConnection);

macro_rules! derive_items {
    ($name:ident, $connection:ty, $write:ident) => {
        /// Writes items that follow from results, within the transaction of these.
        pub(in crate::records) async fn $name(
            tx: &mut $connection,
            writes: &[ItemWrite],
        ) -> sqlx::Result<()> {
            let now = Timestamp::now();
            for write in writes {
                $write(tx, write, now).await?;
            }
            Ok(())
        }
    };
}

derive_items!(derive_lite, SqliteConnection, write_lite);
derive_items!(derive_pg, PgConnection, write_pg);

/// Writes in the order of their keys, so that two batches cannot deadlock; all of them, or none. One alone is a transaction by
/// itself, and saves two of three round trips.
macro_rules! write_all {
    ($pool:expr, $writes:expr, $now:expr, $write:ident) => {
        async {
            if let [only] = $writes {
                return $write(&mut *$pool.acquire().await?, only, $now).await;
            }
            let mut lent = Lent::from($pool).await?;
            let mut tx = lent.begin().await?;
            for write in $writes {
                if !$write(&mut tx, write, $now).await? {
                    tx.rollback().await?;
                    lent.give_back();
                    return Ok(false);
                }
            }
            commit!(tx)?;
            lent.give_back();
            Ok(true)
        }
        .await
    };
}

impl Records {
    /// Writes items in one transaction, if the conditions of all are met. Returns whether it did.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses; `USER_NOT_FOUND`, if an owner has no account;
    /// `VALIDATION_ERROR` or `PAYLOAD_TOO_LARGE`, if an item is out of bounds.
    pub(crate) async fn write_items(&self, mut writes: Vec<ItemWrite>) -> Result<bool, Error> {
        if writes.len() > BATCH {
            let message = format!("a batch must have up to {BATCH} writes");
            return Err(Error::new(Kind::PAYLOAD_TOO_LARGE, message));
        }
        writes.iter().try_for_each(ItemWrite::check)?;
        writes.sort_by(|a, b| (a.collection, &a.key).cmp(&(b.collection, &b.key)));
        let now = Timestamp::now();
        let written: sqlx::Result<bool> = {
            let _timed = timed!();
            match &self.db {
                Db::Lite(pool) => write_all!(pool, &*writes, now, write_lite),
                Db::Pg(pool) => write_all!(pool, &*writes, now, write_pg),
            }
        };
        written.map_err(|error| match error.as_database_error() {
            Some(refused) if refused.is_foreign_key_violation() => Kind::USER_NOT_FOUND.into(),
            _ => failed(error),
        })
    }
}
