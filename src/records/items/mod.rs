//! Items of handler modules: typed by the module, stored here as JSON under a key, with sort keys by which indexes
//! order them. The same statements run on both databases.
//!
//! The owner of an item is an account or a guest. With an account its items go, by a foreign key.

mod range;
mod sort;
mod write;

use sqlx::AssertSqlSafe;

pub use self::limits::*;
pub use self::range::{Cursor, Range};
pub use self::sort::SortKey;
pub use self::write::{Expected, ItemWrite, NewItem};
pub(super) use self::write::{derive_lite, derive_pg};

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use super::transaction::transaction;
use crate::Error;
use crate::game::{Timestamp, UserId};

/// Bounds of items.
mod limits {
    /// Longest key, in bytes: enough for the id of a player, and something more.
    pub const KEY: usize = 400;
    /// Longest sort key, in bytes.
    pub const SORT_KEY: usize = 400;
    /// Longest body, in bytes of JSON.
    pub const BODY: usize = 64 * 1024;
    /// Most items of a page.
    pub const PAGE: u32 = 500;
    /// Most writes of a batch.
    pub const BATCH: usize = 64;
    /// Most indexes of a type.
    pub const INDEXES: usize = 4;
}

/// A stored item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Its collection; may be unknown to this version.
    pub collection: String,
    /// Its key.
    pub key: String,
    /// The account or guest that it belongs to.
    pub owner: Option<UserId>,
    /// Grows with each write.
    pub version: i64,
    /// The version of the type that wrote the body.
    pub form: i32,
    /// JSON.
    pub body: String,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// Its sort key in the index by which it was found.
    sort: Vec<u8>,
}

type ItemRow =
    (String, String, Option<String>, Option<String>, i64, i32, String, At, Option<Vec<u8>>);

impl StoredItem {
    fn of(row: ItemRow) -> Self {
        let (collection, key, account, guest, version, form, body, At(updated_at), sort) = row;
        let owner = account.or(guest).map(|id| UserId::from(id.as_str()));
        let sort = sort.unwrap_or_default();
        Self { collection, key, owner, version, form, body, updated_at, sort }
    }

    /// Its place in the index by which it was found.
    pub fn place(&self) -> Cursor {
        Cursor { sort: self.sort.clone(), key: self.key.clone() }
    }
}

/// The columns of a [`ItemRow`], except for the sort key.
const COLUMNS: &str = "collection, key, account, guest, version, form, body, updated_at";

/// Keys that are looked up at once.
const KEYS: usize = 100;

/// Expired items that are deleted at once.
const AT_ONCE: i64 = 1_000;

const EXPIRE: &str = "delete from module_items where (collection, key) in (
        select collection, key from module_items where expires_at <= $1 limit $2)";

/// The statement of a page: the collection, the place before it, the end of the range, the size. `slot` is 1 to 4.
pub(super) fn page_sql(slot: usize, is_reversed: bool) -> String {
    let (next, within, order) = if is_reversed { ("<", ">=", " desc") } else { (">", "<", "") };
    format!(
        "select {COLUMNS}, sort_{slot} from module_items
         where collection = $1 and sort_{slot} is not null and (sort_{slot}, key) {next} ($2, $3) and sort_{slot} {within} $4
         order by sort_{slot}{order}, key{order} limit $5"
    )
}

/// The statement of a count: the collection, the two places between which items are counted, the limit, a key that does not count. The
/// order keeps PostgreSQL from reading the table, in the hope that enough of it is within the range.
pub(super) fn count_sql(slot: usize) -> String {
    format!(
        "select count(*) from (
            select 1 as one from module_items where collection = $1 and sort_{slot} is not null
                and (sort_{slot}, key) > ($2, $3) and (sort_{slot}, key) < ($4, $5) and key <> $7
            order by sort_{slot}, key limit $6
         ) as counted"
    )
}

/// The statements that find the items of an account and of a guest: the owner, the collection and key before the page, the
/// size.
pub(super) fn owned_sql() -> [String; 2] {
    ["account", "guest"].map(|owner| {
        format!(
            "select {COLUMNS}, null from module_items
             where {owner} = $1 and (collection, key) > ($2, $3)
             order by collection, key limit $4"
        )
    })
}

impl Records {
    /// An item.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn item(
        &self,
        collection: &str,
        key: &str,
    ) -> Result<Option<StoredItem>, Error> {
        let sql =
            format!("select {COLUMNS}, null from module_items where collection = $1 and key = $2");
        let row: sqlx::Result<Option<ItemRow>> = with_db!(&self.db, |pool| {
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(collection).bind(key);
            query.fetch_optional(pool).await
        });
        Ok(row.map_err(failed)?.map(StoredItem::of))
    }

    /// The items with these keys, in any order.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn items(
        &self,
        collection: &str,
        keys: &[String],
    ) -> Result<Vec<StoredItem>, Error> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS) {
            let places: Vec<_> = (2..2 + keys.len()).map(|number| format!("${number}")).collect();
            let sql = format!(
                "select {COLUMNS}, null from module_items where collection = $1 and key in ({})",
                places.join(", ")
            );
            let rows: sqlx::Result<Vec<ItemRow>> = with_db!(&self.db, |pool| {
                let query = sqlx::query_as(AssertSqlSafe(sql)).bind(collection);
                keys.iter().fold(query, |query, key| query.bind(key)).fetch_all(pool).await
            });
            items.extend(rows.map_err(failed)?.into_iter().map(StoredItem::of));
        }
        Ok(items)
    }

    /// The items of a range after a place, at most so many. `slot` is the number of the index, from 1.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn item_page(
        &self,
        (collection, slot): (&str, usize),
        range: &Range,
        after: Option<&Cursor>,
        size: u32,
    ) -> Result<Vec<StoredItem>, Error> {
        let begin = range.begin();
        // A place outside of the range leads to its begin or its end.
        let inside = |it: &&Cursor| (it.sort < begin.sort) == range.is_reversed;
        let after = after.filter(inside).unwrap_or(&begin);
        let end = range.end();
        let sql = page_sql(slot, range.is_reversed);
        let rows: sqlx::Result<Vec<ItemRow>> = with_db!(&self.db, |pool| {
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(collection);
            let query = query.bind(&after.sort).bind(&after.key).bind(&end.sort);
            query.bind(i64::from(size)).fetch_all(pool).await
        });
        Ok(rows.map_err(failed)?.into_iter().map(StoredItem::of).collect())
    }

    /// The number of items of a range, at most `limit`; of those before a place only, if one is given. The item that was at that
    /// place does not count, should it have moved since.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn count_items(
        &self,
        (collection, slot): (&str, usize),
        range: &Range,
        before: Option<&Cursor>,
        limit: u32,
    ) -> Result<u64, Error> {
        let (begin, end) = (range.begin(), range.end());
        let (mut from, mut to) = (&begin, before.unwrap_or(&end));
        if range.is_reversed {
            (from, to) = (to, from);
        }
        let (sql, own) = (count_sql(slot), before.map_or("", |place| &place.key));
        let count: sqlx::Result<i64> = with_db!(&self.db, |pool| {
            let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(collection);
            let query = query.bind(&from.sort).bind(&from.key).bind(&to.sort).bind(&to.key);
            query.bind(i64::from(limit)).bind(own).fetch_one(pool).await
        });
        Ok(count.map_err(failed)?.unsigned_abs())
    }

    /// Items of an account or a guest, by collection and key, after this place and at most so many; also those of modules
    /// that this version does not have.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn items_after(
        &self,
        owner: &UserId,
        (collection, key): (&str, &str),
        size: u32,
    ) -> Result<Vec<StoredItem>, Error> {
        let [of_account, of_guest] = owned_sql();
        let sql = if owner.is_guest() { of_guest } else { of_account };
        let rows: sqlx::Result<Vec<ItemRow>> = with_db!(&self.db, |pool| {
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(owner.as_str());
            query.bind(collection).bind(key).bind(i64::from(size)).fetch_all(pool).await
        });
        Ok(rows.map_err(failed)?.into_iter().map(StoredItem::of).collect())
    }

    /// Deletes expired items. Returns how many.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub(crate) async fn expire_items(&self, now: Timestamp) -> Result<u64, Error> {
        let mut deleted = 0;
        loop {
            let done: sqlx::Result<u64> = with_db!(&self.db, |pool| {
                let query = sqlx::query(EXPIRE).bind(At(now)).bind(AT_ONCE);
                query.execute(pool).await.map(|done| done.rows_affected())
            });
            let done = done.map_err(failed)?;
            deleted += done;
            if done == 0 {
                return Ok(deleted);
            }
        }
    }

    /// Deletes a registered player with logins, results and items, or a guest with its items. The races of other players
    /// do not change.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn forget(&self, user: &UserId) -> Result<(), Error> {
        // Items of an account are deleted with its row.
        let items = "delete from module_items where guest = $1";
        let account = "delete from users where id = $1";
        let forgotten: sqlx::Result<()> = with_db!(&self.db, |pool| transaction!(pool, |tx| {
            sqlx::query(items).bind(user.as_str()).execute(&mut *tx).await?;
            sqlx::query(account).bind(user.as_str()).execute(&mut *tx).await.map(drop)?
        })
        .await);
        forgotten.map_err(failed)
    }
}
