//! Parsing of single values: ports, durations, booleans and so on.
//!
//! Each function is a serde `deserialize_with` for one kind of setting. Its error is the second half of a sentence (`is
//! "abc", but a whole number from 0 to 65535 is wanted`), which `load` completes with the name of the setting. Numbers
//! and booleans are also parsed from text, since environment variables are text and YAML files sometimes quote them.
//! Texts are not parsed from numbers, because `0123` would lose its zero.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::secret::{Secret, ServiceUrl, mask_address};

/// Longest accepted duration: a hundred years, so that adding it to a timestamp cannot overflow.
const LONGEST_SECONDS: f64 = 3_155_760_000.0;

/// Characters of an invalid value that an error repeats.
const SHOWN_CHARACTERS: usize = 60;

/// A value as an error repeats it; even a value that is not a secret may be a URL with a password.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "empty".into(),
        Value::Array(_) => return "a list".into(),
        Value::Object(_) => return "a mapping".into(),
        Value::String(text) => Value::String(mask_address(text)).to_string(),
        scalar => scalar.to_string(),
    };
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text;
    }
    text.chars().take(SHOWN_CHARACTERS).chain("…".chars()).collect()
}

pub(super) fn misfit<E: Error>(value: &Value, wanted: &str) -> E {
    E::custom(format!("is {}, but {wanted} is wanted", shown(value)))
}

fn read_text(value: Value) -> Result<String, Value> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(other),
    }
}

pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read_text(Value::deserialize(from)?)
        .map_err(|other| misfit(&other, "text (put quotes around it)"))
}

/// A text in the section of a module; a number is accepted as its digits, since values of environment variables are not
/// quoted.
///
/// # Errors
/// If it is not a text. The error does not contain the value, which may be a secret.
pub fn plain_text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("is no text")),
    }
}

/// An optional text; blank means unset.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        value => text(value)
            .map(|text| Some(text).filter(|text| !text.trim().is_empty()))
            .map_err(D::Error::custom),
    }
}

pub(super) fn path<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) if !text.trim().is_empty() => Ok(text.into()),
        other => Err(misfit(&other, "a path")),
    }
}

pub(super) fn optional_path<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<PathBuf>, D::Error> {
    Ok(optional_text(from)?.map(PathBuf::from))
}

pub(super) fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    read_text(Value::deserialize(from)?)
        .map(Secret::from)
        .map_err(|_| D::Error::custom("is not text: put quotes around the value"))
}

/// An optional secret; blank means unset.
pub(super) fn optional_secret<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Secret>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        value => secret(value)
            .map(|secret| Some(secret).filter(|secret| !secret.expose().trim().is_empty()))
            .map_err(D::Error::custom),
    }
}

/// A PEM text. Line breaks may be written as the two characters `\n`, since many tools that set environment variables
/// cannot hold real ones.
pub(super) fn pem<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    let pem = optional_secret(from)?;
    Ok(pem.map(|pem| pem.expose().replace("\\n", "\n").into()))
}

pub(super) fn service_url<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<ServiceUrl>, D::Error> {
    Ok(optional_secret(from)?.map(|url| url.expose().into()))
}

/// An optional boolean.
pub(super) fn optional_switch<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => switch(value).map(Some).map_err(D::Error::custom),
    }
}

pub(super) fn switch<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(from)?;
    let word = match &value {
        Value::Bool(on) => return Ok(*on),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(misfit(&value, "true or false")),
    }
}

fn whole<'de, D, T>(from: D, least: u64, most: u64) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let value = Value::deserialize(from)?;
    let number = match &value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    number
        .filter(|number| (least..=most).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| misfit(&value, &format!("a whole number from {least} to {most}")))
}

/// A whole number of at least 1.
pub(super) fn count<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<T, D::Error> {
    whole(from, 1, u32::MAX.into())
}

/// A whole number, 0 included.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    whole(from, 0, u32::MAX.into())
}

/// A whole number of 16 bit.
pub(super) fn short<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    whole(from, 0, u16::MAX.into())
}

/// A TCP port; 0 lets the system choose one.
pub(super) fn port<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    short(from)
}

fn read_seconds<'de, D: Deserializer<'de>>(
    from: D,
    fits: fn(f64) -> bool,
    wanted: &str,
) -> Result<Duration, D::Error> {
    let value = Value::deserialize(from)?;
    let number = match &value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    number
        // Also rejects NaN, which is in no range.
        .filter(|number| fits(*number) && (0.0..=LONGEST_SECONDS).contains(number))
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| misfit(&value, wanted))
}

/// Whole seconds are written without a fraction.
fn write_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if duration.subsec_nanos() == 0 {
        duration.as_secs().serialize(serializer)
    } else {
        duration.as_secs_f64().serialize(serializer)
    }
}

/// A number of seconds, fractions allowed, 0 included (`serde(with)`).
pub(super) mod seconds {
    use std::time::Duration;

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        super::read_seconds(from, |_| true, "a number of seconds (0 to 3155760000)")
    }

    pub fn serialize<S: serde::Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        super::write_seconds(value, to)
    }
}

/// A number of seconds above 0, fractions allowed (`serde(with)`).
pub(super) mod positive_seconds {
    use std::time::Duration;

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        // A minimum, since a timer of almost no length would fire without pause.
        super::read_seconds(
            from,
            |number| number >= 0.001,
            "a number of seconds (0.001 to 3155760000)",
        )
    }

    pub fn serialize<S: serde::Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        super::write_seconds(value, to)
    }
}
