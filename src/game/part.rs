//! Parts: what modules store with a game, or with a seat in it.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Game, Player};

/// A type of part. A game or a player without it has its default.
///
/// A stored part is a field of the game's JSON object, or of the player's. Later versions of a type have to read what
/// earlier ones have stored, and the other way round as long as pods of both run.
pub trait Part: Serialize + DeserializeOwned + Default + Send + Sync + 'static {
    /// The name of the field: unique, stable, and no field of the runtime.
    const NAME: &'static str;
}

/// The parts of a game or a player. Those that no module of this pod knows are kept as they came.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parts(BTreeMap<Cow<'static, str>, Stored>);

impl Parts {
    fn get<T: Part>(&self) -> Arc<T> {
        self.0.get(T::NAME).map(Stored::read).unwrap_or_default()
    }

    fn set<T: Part>(&mut self, part: T) {
        self.0.insert(Cow::Borrowed(T::NAME), Stored::of(part));
    }

    fn edit<T: Part + Clone, R>(&mut self, edit: impl FnOnce(&mut T) -> R) -> R {
        let mut part = T::clone(&self.get());
        let edited = edit(&mut part);
        self.set(part);
        edited
    }

    /// The same, with all parts of `others`; where both have one, that of `others`.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The same, with this part.
    #[must_use]
    pub fn with<T: Part>(mut self, part: T) -> Self {
        self.set(part);
        self
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, part)| (name, &part.json))).finish()
    }
}

/// One part: as JSON, and as the type by which it was last read.
#[derive(Clone, Default)]
struct Stored {
    json: Value,
    read: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Stored {
    fn of<T: Part>(part: T) -> Self {
        let json = serde_json::to_value(&part);
        let json = json.expect("a part is plain data, with strings as keys");
        Self { json, read: OnceLock::from(Arc::new(part) as Arc<dyn Any + Send + Sync>) }
    }

    /// The part; its default if a pod of another version has stored something else there.
    fn read<T: Part>(&self) -> Arc<T> {
        let parse = || T::deserialize(&self.json).unwrap_or_default();
        let read = self.read.get_or_init(|| Arc::new(parse()));
        read.clone().downcast().unwrap_or_else(|_| Arc::new(parse()))
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { json: Value::deserialize(deserializer)?, read: OnceLock::new() })
    }
}

/// What has parts.
macro_rules! with_parts {
    ($($type:ident)*) => {$(
        impl $type {
            /// A part of it.
            pub fn part<T: Part>(&self) -> Arc<T> {
                self.parts.get()
            }

            /// Stores a part.
            pub fn put<T: Part>(&mut self, part: T) {
                self.parts.set(part);
            }

            /// Changes a part.
            pub fn edit<T: Part + Clone, R>(&mut self, edit: impl FnOnce(&mut T) -> R) -> R {
                self.parts.edit(edit)
            }
        }
    )*};
}

with_parts!(Game Player);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::{GameId, Timestamp};

    /// What one module stores.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Laps(u32);

    impl Part for Laps {
        const NAME: &'static str = "laps";
    }

    #[test]
    fn a_part_is_a_field_of_its_game() {
        let mut game = Game::opened(GameId(1), Timestamp(0), Parts::default());
        assert_eq!(*game.part::<Laps>(), Laps(0));
        game.edit(|laps: &mut Laps| laps.0 += 2);
        let json = serde_json::to_value(&game).expect("facts are JSON");
        assert_eq!(json["laps"], 2);
        let read: Game = serde_json::from_value(json).expect("facts are readable");
        assert_eq!((&*read.part::<Laps>(), &read), (&Laps(2), &game));
    }

    #[test]
    fn unknown_parts_are_kept_as_they_came() {
        let mut json =
            serde_json::to_value(Game::opened(GameId(1), Timestamp(0), Parts::default()))
                .expect("JSON");
        json["weather"] = serde_json::json!({"rain": [1, 2.5, null]});
        let mut game: Game = serde_json::from_value(json.clone()).expect("facts are readable");
        game.put(Laps(1));
        json["laps"] = 1.into();
        assert_eq!(serde_json::to_value(&game).expect("JSON"), json);
    }

    #[test]
    fn a_part_of_another_form_counts_as_missing() {
        let mut json =
            serde_json::to_value(Game::opened(GameId(1), Timestamp(0), Parts::default()))
                .expect("JSON");
        json["laps"] = "many".into();
        let game: Game = serde_json::from_value(json).expect("facts are readable");
        assert_eq!(*game.part::<Laps>(), Laps(0));
    }
}
