//! Values that the pods share, typed, by module: small, short-lived, in the live state.

use std::marker::PhantomData;
use std::time::Duration;

use rand::RngExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Cx;
use crate::game::Timestamp;
use crate::live::{Live, Shared};
use crate::{Error, Kind};

/// Longest key, in bytes.
const KEY: usize = 200;
/// Longest value, in bytes of JSON.
const VALUE: usize = 16 * 1024;
/// Attempts at a change while the value is changed elsewhere.
const TRIES: u32 = 16;

/// A type of value that a module shares between pods ([`Wiring::shares`](crate::module::Wiring::shares)), as JSON under a key.
/// Values may get lost: with the process, or with Redis. What must stay is an [`Item`](super::Item).
///
/// In one process at most 100,000 values of a type are stored; beyond that, those that expire first are dropped.
pub trait Share: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the type: unique within the module, and stable.
    const NAME: &'static str;
    /// For how long a value is there after it was written.
    const LASTS: Duration;
}

/// A value as it was read.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    stored: Shared,
}

/// The values of one type. All functions fail with `SERVICE_UNAVAILABLE` if the live state does not answer, and with
/// `VALIDATION_ERROR` if a key has more than 200 bytes.
pub struct Shares<T> {
    live: Live,
    prefix: String,
    of: PhantomData<fn() -> T>,
}

impl<T: Share> Shares<T> {
    pub(crate) fn of(live: &Live, module: &str) -> Self {
        // The live state bounds the values of one prefix, up to the colon.
        Self { live: live.clone(), prefix: format!("{module}/{}", T::NAME), of: PhantomData }
    }

    fn key(&self, key: &str) -> Result<String, Error> {
        if key.len() > KEY {
            return Err(Error::validation(format!("a shared key must have up to {KEY} bytes")));
        }
        Ok(format!("{}:{key}", self.prefix))
    }

    /// The value under a key. One of another form, which a pod of another version has written, counts as none.
    ///
    /// # Errors
    /// See [`Shares`].
    pub async fn get(&self, key: &str) -> Result<Option<Found<T>>, Error> {
        let stored = self.live.read(&self.key(key)?).await?;
        Ok(stored.filter(|it| it.until > Timestamp::now()).and_then(|stored| {
            let value = serde_json::from_str(&stored.text).ok()?;
            Some(Found { value, stored })
        }))
    }

    /// Stores a value, if what is there is `expected`, as it was read; `None` stands for none. Returns whether it did.
    ///
    /// # Errors
    /// See [`Shares`]; `PAYLOAD_TOO_LARGE`, if the value has more than 16 KiB.
    pub async fn put(
        &self,
        key: &str,
        expected: Option<&Found<T>>,
        value: &T,
    ) -> Result<bool, Error> {
        let (key, value) = (self.key(key)?, new(value)?);
        if let Some(found) = expected {
            return self.live.write(&key, Some(&found.stored), value).await;
        }
        if self.live.write(&key, None, value.clone()).await? {
            return Ok(true);
        }
        // An expired value, or one of another form, is none.
        let Some(stored) = self.live.read(&key).await? else { return Ok(false) };
        if is_there::<T>(&stored) {
            return Ok(false);
        }
        self.live.write(&key, Some(&stored), value).await
    }

    /// Removes a value, if it is still the one that was read. Returns whether it did.
    ///
    /// # Errors
    /// See [`Shares`].
    pub async fn remove(&self, key: &str, expected: &Found<T>) -> Result<bool, Error> {
        self.live.remove(&self.key(key)?, &expected.stored).await
    }

    /// Changes the value under a key, or makes it, by a function of what is there, which may run several times: each time on
    /// the newest value, until no other change has come between. With `None` it stays as it is. Returns whether it changed.
    ///
    /// # Errors
    /// As of [`put`](Self::put); `SERVICE_UNAVAILABLE`, if the value changes all the time.
    pub async fn change(
        &self,
        key: &str,
        mut change: impl FnMut(Option<&T>) -> Option<T> + Send,
    ) -> Result<bool, Error> {
        for attempt in 0..TRIES {
            let found = self.get(key).await?;
            let Some(value) = change(found.as_ref().map(|found| &found.value)) else {
                return Ok(false);
            };
            if self.put(key, found.as_ref(), &value).await? {
                return Ok(true);
            }
            // Random, and longer with each attempt, so that pods do not collide again.
            let longest = Duration::from_millis(1 << attempt.min(6));
            let pause = rand::rng().random_range(Duration::ZERO..=longest);
            tokio::time::sleep(pause).await;
        }
        Err(Kind::UNAVAILABLE.into())
    }
}

fn is_there<T: Share>(stored: &Shared) -> bool {
    stored.until > Timestamp::now() && serde_json::from_str::<T>(&stored.text).is_ok()
}

fn new<T: Share>(value: &T) -> Result<Shared, Error> {
    let text = serde_json::to_string(value).map_err(Error::internal)?;
    if text.len() > VALUE {
        let message = format!("a shared value must have up to {VALUE} bytes");
        return Err(Error::new(Kind::PAYLOAD_TOO_LARGE, message));
    }
    Ok(Shared::new(text, Timestamp::now() + T::LASTS))
}

impl Cx {
    /// The values of a type that the module shares between pods.
    ///
    /// # Panics
    /// If the module does not declare it ([`Wiring::shares`](crate::module::Wiring::shares)).
    pub fn shares<T: Share>(&self) -> Shares<T> {
        assert!(self.keeping().shares(self.module(), T::NAME), "the module shares these values");
        Shares::of(self.live(), self.module())
    }
}
