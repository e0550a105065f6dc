//! What is kept under keys that are good once: handed over between two requests of one client.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::LiveState;
use crate::Error;
use crate::game::{Timestamp, User};

/// What can be kept under a key that is good once. A key of one kind finds nothing of another.
pub trait OneTime: Serialize + DeserializeOwned {
    /// Tells the kinds apart.
    const KIND: &'static str;
}

/// A new guest, until it fetches its token.
impl OneTime for User {
    const KIND: &'static str = "guest";
}

impl dyn LiveState + '_ {
    /// Keeps something under a key until then.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn keep<T: OneTime>(&self, key: &str, it: &T, until: Timestamp) -> Result<(), Error> {
        let text = serde_json::to_string(it).map_err(Error::internal)?;
        self.keep_once(format!("{}:{key}", T::KIND), text, until).await
    }

    /// What was kept under the key, if it is not used or too old. The key is not good any more.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn take<T: OneTime>(&self, key: &str, now: Timestamp) -> Result<Option<T>, Error> {
        let text = self.take_once(&format!("{}:{key}", T::KIND), now).await?;
        text.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
    }
}

/// Keys of one kind that may be kept at once; when there are more, those that die first make way.
const LIMIT: usize = 100_000;

/// The keys of a server, by kind: many of one push out none of another.
#[derive(Default)]
pub(super) struct OneTimeKeys(HashMap<String, OfOneKind>);

impl OneTimeKeys {
    pub(super) fn keep(&mut self, key: String, text: String, until: Timestamp) {
        self.0.entry(kind(&key).to_owned()).or_default().keep(key, text, until);
    }

    /// Forgets the keys whose time is over.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.0.values_mut().for_each(|keys| keys.forget_dead(now));
        self.0.retain(|_, keys| !keys.kept.is_empty());
    }

    pub(super) fn take(&mut self, key: &str, now: Timestamp) -> Option<String> {
        self.0.get_mut(kind(key))?.take(key, now)
    }
}

/// What stands before the colon.
fn kind(key: &str) -> &str {
    key.split_once(':').map_or("", |(kind, _)| kind)
}

/// Keys in the order in which they die.
#[derive(Default)]
struct OfOneKind {
    kept: HashMap<String, (Timestamp, String)>,
    by_end: BTreeSet<(Timestamp, String)>,
}

impl OfOneKind {
    fn keep(&mut self, key: String, text: String, until: Timestamp) {
        while self.by_end.len() >= LIMIT
            && let Some((_, oldest)) = self.by_end.pop_first()
        {
            self.kept.remove(&oldest);
        }
        self.by_end.insert((until, key.clone()));
        self.kept.insert(key, (until, text));
    }

    fn take(&mut self, key: &str, now: Timestamp) -> Option<String> {
        self.forget_dead(now);
        let (until, text) = self.kept.remove(key)?;
        self.by_end.remove(&(until, key.to_owned()));
        Some(text)
    }

    fn forget_dead(&mut self, now: Timestamp) {
        while self.by_end.first().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, key)) = self.by_end.pop_first() {
                self.kept.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_once_and_for_its_time() {
        let mut keys = OfOneKind::default();
        keys.keep("k".into(), "anna".into(), Timestamp(60));
        keys.keep("late".into(), "anna".into(), Timestamp(60));
        assert_eq!(keys.take("k", Timestamp(1)), Some("anna".into()));
        assert_eq!(keys.take("k", Timestamp(1)), None);
        assert_eq!(keys.take("late", Timestamp(60)), None);
        assert!(keys.by_end.is_empty() && keys.kept.is_empty());
    }

    #[test]
    fn keys_that_are_never_fetched_expire_by_themselves() {
        let mut keys = OneTimeKeys::default();
        keys.keep("guest:a".into(), "anna".into(), Timestamp(60));
        keys.keep("guest:b".into(), "ben".into(), Timestamp(90));
        keys.keep("login:c".into(), "cleo".into(), Timestamp(60));
        keys.expire(Timestamp(60));
        assert_eq!(keys.0.values().map(|it| it.kept.len()).collect::<Vec<_>>(), [1]);
        assert_eq!(keys.take("guest:b", Timestamp(61)), Some("ben".into()));
        keys.expire(Timestamp(61));
        assert!(keys.0.is_empty());
    }
}
