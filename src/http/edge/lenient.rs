//! Lenient parsing of numbers: the Python backend accepts `"35"`, `35.0` and `true` as numbers, and its clients may
//! rely on that.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// An integer: `35`, `35.0`, `"35"`, `true` as 1. Values beyond 64 bits saturate, which matches no game and no
/// position; a fraction is an error.
///
/// # Errors
/// The deserializer's error.
pub fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    from.deserialize_any(Integer)
}

/// A number: `71.2`, `71`, `"71.2"`, `true` as 1. Infinities and NaN pass, and are refused by the rules.
///
/// # Errors
/// The deserializer's error.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    from.deserialize_any(Number)
}

/// A whole number in a query or a string: `35`, `+35`, `35.0`. `None` if it is not one; values beyond 64 bits saturate,
/// which matches no game.
pub fn integer_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let limit = if whole.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(whole.parse().unwrap_or(limit))
}

struct Integer;

impl Visitor<'_> for Integer {
    type Value = i64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }
    fn visit_i64<E>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }
    fn visit_u64<E>(self, value: u64) -> Result<i64, E> {
        Ok(value.try_into().unwrap_or(i64::MAX))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
        // The cast saturates. Beyond 2^53 it is not exact, and neither was the number.
        if value.fract() == 0.0 { Ok(value as i64) } else { Err(E::custom("not a whole number")) }
    }
    fn visit_bool<E>(self, value: bool) -> Result<i64, E> {
        Ok(value.into())
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<i64, E> {
        integer_of(value).ok_or_else(|| E::custom("not an integer"))
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = f64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }
    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }
    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }
    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }
    fn visit_bool<E>(self, value: bool) -> Result<f64, E> {
        Ok(value.into())
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<f64, E> {
        value.trim().parse().map_err(|_| E::custom("not a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer_in(json: &str) -> Option<i64> {
        integer(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    #[test]
    fn integers_come_in_many_clothes() {
        for (json, value) in
            [("35", 35), ("35.0", 35), ("\"35\"", 35), ("true", 1), ("-1", -1), ("1e30", i64::MAX)]
        {
            assert_eq!(integer_in(json), Some(value), "{json}");
        }
        for json in ["1.5", "null", "\"x\"", "[]"] {
            assert_eq!(integer_in(json), None, "{json}");
        }
    }

    #[test]
    fn a_huge_integer_in_a_query_is_simply_no_game() {
        assert_eq!(integer_of(&format!("1{}", "0".repeat(30))), Some(i64::MAX));
        assert_eq!(integer_of("-99999999999999999999"), Some(i64::MIN));
        assert_eq!(
            [integer_of(""), integer_of("+"), integer_of("1x"), integer_of("1.5")],
            [None; 4]
        );
    }
}
