//! Small values under keys, shared by all pods.

use std::collections::{BTreeSet, HashMap};

use serde::{Serialize, de::DeserializeOwned};

use crate::game::{Timestamp, User};

/// A value under a key. Each one that is stored has its own version, even if the text is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The value.
    pub text: String,
    /// When it expires.
    pub until: Timestamp,
    /// Random; tells it apart from the one before.
    pub(super) version: u64,
}

impl Shared {
    /// A new value.
    pub fn new(text: String, until: Timestamp) -> Self {
        Self { text, until, version: rand::random() }
    }

    /// Its form in Redis.
    pub(super) fn write(&self) -> String {
        format!("{} {} {}", self.until.0, self.version, self.text)
    }

    /// Parses that form.
    pub(super) fn read(kept: &str) -> Option<Self> {
        let (until, rest) = kept.split_once(' ')?;
        let (version, text) = rest.split_once(' ')?;
        let (until, version) = (Timestamp(until.parse().ok()?), version.parse().ok()?);
        Some(Self { text: text.to_owned(), until, version })
    }
}

/// A type whose values are stored under single-use keys. A key of one kind finds nothing of another.
pub trait OneTime: Serialize + DeserializeOwned {
    /// Name of the kind.
    const KIND: &'static str;
}

/// A new guest, until it fetches its token.
impl OneTime for User {
    const KIND: &'static str = "guest";
}

/// Values of one kind that are stored at most; beyond that, those that expire first are dropped.
const LIMIT: usize = 100_000;

/// The values of a single server, by kind (the part of a key before the colon): many of one kind do not displace those of
/// another.
#[derive(Default)]
pub(super) struct SharedValues(HashMap<String, OfOneKind>);

impl SharedValues {
    pub(super) fn read(&self, key: &str) -> Option<Shared> {
        self.0.get(kind(key))?.kept.get(key).cloned()
    }

    /// Returns whether the value there was the expected one.
    pub(super) fn write(
        &mut self,
        key: &str,
        expected: Option<&Shared>,
        value: Option<Shared>,
    ) -> bool {
        let of_kind = self.0.entry(kind(key).to_owned()).or_default();
        if of_kind.kept.get(key).map(|it| it.version) != expected.map(|it| it.version) {
            return false;
        }
        of_kind.remove(key);
        if let Some(value) = value {
            of_kind.put(key, value);
        }
        true
    }

    /// Removes expired values.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.0.values_mut().for_each(|values| values.forget_dead(now));
        self.0.retain(|_, values| !values.kept.is_empty());
    }
}

fn kind(key: &str) -> &str {
    key.split_once(':').map_or("", |(kind, _)| kind)
}

/// Values, also in the order in which they expire.
#[derive(Default)]
struct OfOneKind {
    kept: HashMap<String, Shared>,
    by_end: BTreeSet<(Timestamp, String)>,
}

impl OfOneKind {
    fn put(&mut self, key: &str, value: Shared) {
        while self.by_end.len() >= LIMIT
            && let Some((_, oldest)) = self.by_end.pop_first()
        {
            self.kept.remove(&oldest);
        }
        self.by_end.insert((value.until, key.to_owned()));
        self.kept.insert(key.to_owned(), value);
    }

    fn remove(&mut self, key: &str) {
        if let Some(value) = self.kept.remove(key) {
            self.by_end.remove(&(value.until, key.to_owned()));
        }
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

    fn value(text: &str, until: i64) -> Shared {
        Shared::new(text.into(), Timestamp(until))
    }

    #[test]
    fn a_value_is_replaced_by_those_who_know_it() {
        let mut values = SharedValues::default();
        let (one, same) = (value("anna", 60), value("anna", 60));
        assert!(values.write("k:a", None, Some(one.clone())));
        assert!(!values.write("k:a", None, Some(same.clone())), "there is one");
        assert!(!values.write("k:a", Some(&same), None), "another one");
        assert_eq!(values.read("k:a"), Some(one.clone()));
        assert!(values.write("k:a", Some(&one), Some(same.clone())));
        assert!(!values.write("k:a", Some(&one), None), "replaced meanwhile");
        assert!(values.write("k:a", Some(&same), None));
        assert_eq!(values.read("k:a"), None);
        assert!(values.0.values().all(|it| it.by_end.is_empty() && it.kept.is_empty()));
    }

    #[test]
    fn keys_that_are_never_fetched_expire_by_themselves() {
        let mut values = SharedValues::default();
        values.write("guest:a", None, Some(value("anna", 60)));
        values.write("guest:b", None, Some(value("ben", 90)));
        values.write("login:c", None, Some(value("cleo", 60)));
        values.expire(Timestamp(60));
        assert_eq!(values.0.values().map(|it| it.kept.len()).collect::<Vec<_>>(), [1]);
        assert!(values.read("guest:b").is_some());
        values.expire(Timestamp(90));
        assert!(values.0.is_empty());
    }
}
