//! Collections of items: what a module keeps for good, typed, in the records.

use std::marker::PhantomData;
use std::time::Duration;

use rand::RngExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Cx;
use crate::game::{Timestamp, User, UserId};
use crate::records::{
    Cursor, Expected, ItemWrite, NewItem, PAGE, Range, Records, SortKey, StoredItem,
};
use crate::{Error, Kind};

/// Attempts at a change while the item is changed elsewhere.
const TRIES: u32 = 16;

/// A type of item that a module keeps ([`Wiring::keeps`](crate::module::Wiring::keeps)), as JSON under a key.
///
/// Pods of two versions run at the same time during an update, so a new form of a type must be readable by pods with the
/// form before, or be written only by the version after it.
pub trait Item: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the collection: unique, and stable.
    const COLLECTION: &'static str;

    /// The version of the type. Items of another one are read by [`upgrade`](Self::upgrade).
    const FORM: i32 = 1;

    /// The names of its indexes, at most four. A new one is added at the end; it has the items that are written from then on.
    const INDEXES: &'static [&'static str] = &[];

    /// Its key: 1 to 400 bytes. Derived from what it is about, so that a repeated write changes the same item.
    fn key(&self) -> String;

    /// The person whose data it is: an account or a guest. It is in the person's export, and is deleted with the account.
    fn owner(&self) -> Option<&UserId> {
        None
    }

    /// Its place in each of the [`INDEXES`](Self::INDEXES). With an empty key it is not in that index.
    fn sort_keys(&self) -> Vec<SortKey> {
        Vec::new()
    }

    /// When it may be deleted; `None` keeps it. It can still be read for some minutes after that.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    /// Reads an item of another [`FORM`](Self::FORM).
    ///
    /// # Errors
    /// If it cannot be read.
    fn upgrade(_form: i32, stored: Value) -> Result<Self, serde_json::Error> {
        serde_json::from_value(stored)
    }

    /// What becomes of a guest's item when the guest logs in to an account: the account's item, or `None` if it stays the
    /// guest's. An item that the account has under the same key counts; the guest's is then deleted.
    fn handed_over(self, _account: &User) -> Option<Self> {
        None
    }
}

/// An item as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<T> {
    /// The item.
    pub item: T,
    /// Its version, for [`Expected::Version`].
    pub version: i64,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl<T: Item> Kept<T> {
    fn read(stored: StoredItem) -> Result<Self, Error> {
        let StoredItem { collection, key, version, form, body, updated_at, .. } = stored;
        let item = if form == T::FORM {
            serde_json::from_str(&body)
        } else {
            serde_json::from_str(&body).and_then(|body| T::upgrade(form, body))
        };
        let unreadable =
            |error| Error::internal(format!("item {key} of {collection} cannot be read: {error}"));
        Ok(Self { item: item.map_err(unreadable)?, version, updated_at })
    }
}

/// Some items, and where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items. One that cannot be read as this type is left out, and is in the log.
    pub items: Vec<Kept<T>>,
    /// Where the next page begins, if there are more.
    pub next: Option<Cursor>,
}

impl<T: Item> Page<T> {
    /// A page of `size` items; one more was read, if there is one.
    fn of(mut stored: Vec<StoredItem>, size: u32) -> Self {
        let is_last = stored.len() <= size as usize;
        stored.truncate(size as usize);
        let next = stored.last().filter(|_| !is_last).map(StoredItem::place);
        let read = stored.into_iter().filter_map(|it| Kept::read(it).ok());
        Self { items: read.collect(), next }
    }
}

/// The outcome of an edit of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemEdit<T> {
    /// It stays as it is.
    Keep,
    /// It becomes this one.
    Put(T),
    /// It is deleted.
    Delete,
}

/// Writes that happen together or not at all. They may be of several types.
#[derive(Debug, Default)]
pub struct Batch(Vec<ItemWrite>);

impl Batch {
    /// Adds a write of an item.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if it is no JSON.
    pub fn put<T: Item>(&mut self, item: &T, expected: Expected) -> Result<(), Error> {
        self.0.push(item_write(item, expected)?);
        Ok(())
    }

    /// Adds the deletion of an item.
    pub fn delete<T: Item>(&mut self, key: &str, expected: Expected) {
        self.0.push(deletion::<T>(key, expected));
    }

    pub(super) fn into_writes(self) -> Vec<ItemWrite> {
        self.0
    }

    /// The collections that it changes.
    fn collections(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|write| write.collection)
    }
}

/// A write of an item.
pub(in crate::module) fn item_write<T: Item>(
    item: &T,
    expected: Expected,
) -> Result<ItemWrite, Error> {
    let new = NewItem {
        owner: item.owner().cloned(),
        form: T::FORM,
        body: serde_json::to_string(item).map_err(Error::internal)?,
        sort_keys: item.sort_keys(),
        expires_at: item.expires_at(),
    };
    Ok(ItemWrite { collection: T::COLLECTION, key: item.key(), expected, item: Some(new) })
}

fn deletion<T: Item>(key: &str, expected: Expected) -> ItemWrite {
    ItemWrite { collection: T::COLLECTION, key: key.to_owned(), expected, item: None }
}

/// A collection of a module. All functions fail with `SERVICE_UNAVAILABLE` if the records do not answer.
pub struct Items<T> {
    records: Records,
    of: PhantomData<fn() -> T>,
}

impl<T: Item> Items<T> {
    pub(in crate::module) fn of(records: &Records) -> Self {
        Self { records: records.clone(), of: PhantomData }
    }

    /// The item with this key.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if it cannot be read as this type.
    pub async fn get(&self, key: &str) -> Result<Option<Kept<T>>, Error> {
        self.records.item(T::COLLECTION, key).await?.map(Kept::read).transpose()
    }

    /// The items with these keys, in any order. One that cannot be read as this type is left out.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn get_all(&self, keys: &[String]) -> Result<Vec<Kept<T>>, Error> {
        let stored = self.records.items(T::COLLECTION, keys).await?;
        Ok(stored.into_iter().filter_map(|it| Kept::read(it).ok()).collect())
    }

    /// Stores an item, if what is there is `expected`. Returns whether it did.
    ///
    /// # Errors
    /// `USER_NOT_FOUND`, if its owner has no account (any more). `VALIDATION_ERROR` or `PAYLOAD_TOO_LARGE`, if it is out of
    /// bounds.
    pub async fn put(&self, item: &T, expected: Expected) -> Result<bool, Error> {
        self.records.write_items(vec![item_write(item, expected)?]).await
    }

    /// Stores an item under a new key. Returns whether it did: repeated, it changes nothing.
    ///
    /// # Errors
    /// As of [`put`](Self::put).
    pub async fn insert(&self, item: &T) -> Result<bool, Error> {
        self.put(item, Expected::Absent).await
    }

    /// Deletes an item, if what is there is `expected`. Returns whether it did.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn delete(&self, key: &str, expected: Expected) -> Result<bool, Error> {
        self.records.write_items(vec![deletion::<T>(key, expected)]).await
    }

    /// Changes the item with this key, or makes it, by a function of what is there, which may run several times: each time on
    /// the newest item, until no other change has come between. Returns whether something changed.
    ///
    /// # Errors
    /// As of [`put`](Self::put); `SERVICE_UNAVAILABLE`, if the item changes all the time.
    pub async fn change(
        &self,
        key: &str,
        mut edit: impl FnMut(Option<T>) -> ItemEdit<T> + Send,
    ) -> Result<bool, Error> {
        for attempt in 0..TRIES {
            let known = self.get(key).await?;
            let version = known.as_ref().map(|known| known.version);
            let expected = version.map_or(Expected::Absent, Expected::Version);
            let write = match edit(known.map(|known| known.item)) {
                ItemEdit::Keep => return Ok(false),
                ItemEdit::Delete if version.is_none() => return Ok(false),
                ItemEdit::Delete => deletion::<T>(key, expected),
                ItemEdit::Put(item) => item_write(&item, expected)?,
            };
            if write.key != key {
                return Err(Error::internal(format!(
                    "{}: {key} became {}",
                    T::COLLECTION,
                    write.key
                )));
            }
            if self.records.write_items(vec![write]).await? {
                return Ok(true);
            }
            // Random, and longer with each attempt, so that pods do not collide again.
            let longest = Duration::from_millis(1 << attempt.min(6));
            let pause = rand::rng().random_range(Duration::ZERO..=longest);
            tokio::time::sleep(pause).await;
        }
        Err(Kind::UNAVAILABLE.into())
    }

    /// The items of a range after a place (`None` begins with the first), at most `size` and at most 500.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    ///
    /// # Panics
    /// If the type has no such index.
    pub async fn page(
        &self,
        range: &Range,
        after: Option<&Cursor>,
        size: u32,
    ) -> Result<Page<T>, Error> {
        let size = size.min(PAGE);
        let slot = slot_of::<T>(range);
        let place = (T::COLLECTION, slot);
        Ok(Page::of(self.records.item_page(place, range, after, size + 1).await?, size))
    }

    /// The number of items of a range, counted up to `limit`: about a millisecond for ten thousand.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    ///
    /// # Panics
    /// If the type has no such index.
    pub async fn count(&self, range: &Range, limit: u32) -> Result<u64, Error> {
        let slot = slot_of::<T>(range);
        self.records.count_items((T::COLLECTION, slot), range, None, limit).await
    }

    /// The number of items of a range that come before an item of it, counted up to `limit`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    ///
    /// # Panics
    /// If the type has no such index.
    pub async fn count_before(&self, range: &Range, item: &T, limit: u32) -> Result<u64, Error> {
        let slot = slot_of::<T>(range);
        let sort = item.sort_keys().into_iter().nth(slot - 1).unwrap_or_default();
        let place = Cursor::at(&sort, &item.key());
        self.records.count_items((T::COLLECTION, slot), range, Some(&place), limit).await
    }

    /// The items of a person, by their keys, after a place (`None` begins with the first), at most `size` and at most 500.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn of_owner(
        &self,
        owner: &UserId,
        after: Option<&Cursor>,
        size: u32,
    ) -> Result<Page<T>, Error> {
        let size = size.min(PAGE);
        let key = after.map_or("", Cursor::key);
        let place = (T::COLLECTION, key);
        let mut stored = self.records.items_after(owner, place, size + 1).await?;
        // Those of other collections come after these.
        stored.retain(|it| it.collection == T::COLLECTION);
        Ok(Page::of(stored, size))
    }
}

/// The number of the index of a range.
fn slot_of<T: Item>(range: &Range) -> usize {
    let slot = T::INDEXES.iter().position(|index| *index == range.index());
    slot.expect("the type has this index") + 1
}

impl Cx {
    /// A collection that the module keeps.
    ///
    /// # Panics
    /// If the module does not declare it ([`Wiring::keeps`](crate::module::Wiring::keeps)).
    pub fn items<T: Item>(&self) -> Items<T> {
        assert!(self.keeping().keeps(self.module(), T::COLLECTION), "the module keeps these items");
        Items::of(self.all_records())
    }

    /// Writes several items together, if what is there is what each write expects. Returns whether it did.
    ///
    /// # Errors
    /// As of [`Items::put`].
    ///
    /// # Panics
    /// If the module does not declare a collection.
    pub async fn write(&self, batch: Batch) -> Result<bool, Error> {
        let is_declared = |collection| self.keeping().keeps(self.module(), collection);
        assert!(batch.collections().all(is_declared), "the module keeps these items");
        self.all_records().write_items(batch.into_writes()).await
    }
}
