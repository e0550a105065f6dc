//! The hand-over of a guest's items at a login: they become those of the account, as far as their types say so.

use std::pin::Pin;

use super::Cx;
use super::collection::{Batch, Item, Items, Kept};
use crate::bus::guard_part;
use crate::game::{User, UserId};
use crate::records::{Expected, PAGE, Records};
use crate::{Error, Kind};

type HandingOver = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Hands the items of a guest over to an account.
pub(in crate::module) type HandOver = fn(Records, UserId, User) -> HandingOver;

/// Hands the items of a guest in one collection over to an account. Repeated, it goes on where it ended.
pub(in crate::module) fn hand_over<T: Item>(
    records: Records,
    guest: UserId,
    account: User,
) -> HandingOver {
    Box::pin(async move {
        let (items, mut after) = (Items::<T>::of(&records), None);
        loop {
            let page = items.of_owner(&guest, after.as_ref(), PAGE).await?;
            for Kept { item, version, .. } in page.items {
                let key = item.key();
                let Some(new) = item.handed_over(&account) else { continue };
                let is_moved = new.key() != key;
                let is_taken = is_moved && items.get(&new.key()).await?.is_some();
                let mut batch = Batch::default();
                if is_moved {
                    batch.delete::<T>(&key, Expected::Version(version));
                }
                if !is_taken {
                    let before =
                        if is_moved { Expected::Absent } else { Expected::Version(version) };
                    batch.put(&new, before)?;
                }
                // Otherwise it has changed meanwhile, by what the guest was still doing: that stays the guest's.
                records.write_items(batch.into_writes()).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    })
}

impl Cx {
    /// Hands the items of a guest over to the account that the guest logs in to, as far as their types say so.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the records do not answer. What a module does wrong fails no login: it is logged.
    pub(crate) async fn hand_over_items(
        &self,
        guest: &UserId,
        account: &User,
    ) -> Result<(), Error> {
        for (module, hand_over) in self.keeping().handed_over() {
            let work = hand_over(self.all_records().clone(), guest.clone(), account.clone());
            let handed_over = guard_part(&self.of(module), "hand over", work).await;
            match handed_over {
                Err(error) if error.kind() == Kind::UNAVAILABLE => return Err(error),
                Err(error) => tracing::error!(module, %error, "a guest's items stay the guest's"),
                Ok(()) => {}
            }
        }
        Ok(())
    }
}
