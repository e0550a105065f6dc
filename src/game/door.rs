//! Doors: players who come to the same door meet in one lobby.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The rule of who may take a seat in a lobby: its kind, and perhaps a key that players need. Modules give kinds their
/// meaning; the runtime compares doors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Door {
    kind: Cow<'static, str>,
    key: Option<Arc<str>>,
}

impl Door {
    /// Any player who queues in.
    pub const OPEN: Self = Self { kind: Cow::Borrowed("Open"), key: None };
    /// Only its first player: a race alone.
    pub const ALONE: Self = Self { kind: Cow::Borrowed("Alone"), key: None };

    /// A door without a key: any player who comes to it.
    pub fn of_kind(kind: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), key: None }
    }

    /// A door for players with a key.
    pub fn with_key(kind: impl Into<Cow<'static, str>>, key: &str) -> Self {
        Self { kind: kind.into(), key: Some(key.into()) }
    }

    /// Its kind, in CamelCase.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The key that players need.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether any player may come, without a key.
    pub fn is_public(&self) -> bool {
        self.key.is_none() && *self != Self::ALONE
    }
}

impl Default for Door {
    fn default() -> Self {
        Self::OPEN
    }
}

/// As in the names of indexes: `open`, `invited:abc`.
impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.to_ascii_lowercase())?;
        self.key.iter().try_for_each(|key| write!(f, ":{key}"))
    }
}

/// `"Open"`, or `{"Invited":"abc"}`.
impl Serialize for Door {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(key) = &self.key else { return serializer.serialize_str(&self.kind) };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.kind, key)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Door {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Door;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the kind of a door, or an object of its kind and key")
            }
            fn visit_str<E: de::Error>(self, kind: &str) -> Result<Door, E> {
                Ok(Door::of_kind(kind.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Door, A::Error> {
                let entry: Option<(String, String)> = map.next_entry()?;
                let (kind, key) = entry.ok_or_else(|| de::Error::custom("the door has no kind"))?;
                Ok(Door::with_key(kind, &key))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_are_stored_by_kind_and_key() {
        for (door, json, shown) in [
            (Door::OPEN, r#""Open""#, "open"),
            (Door::ALONE, r#""Alone""#, "alone"),
            (Door::with_key("Invited", "abc"), r#"{"Invited":"abc"}"#, "invited:abc"),
        ] {
            assert_eq!(serde_json::to_string(&door).expect("JSON"), json);
            assert_eq!(serde_json::from_str::<Door>(json).expect("a door"), door);
            assert_eq!(door.to_string(), shown);
        }
        assert!(serde_json::from_str::<Door>("{}").is_err());
    }
}
