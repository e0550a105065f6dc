//! The section `cookies`.

use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::values;

/// How cookies are set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CookieSettings {
    /// Whether they are `Secure`.
    pub secure: SecureCookies,
}

/// Whether cookies are `Secure`, so that browsers send them over HTTPS only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecureCookies {
    /// `auto`: `Secure`, unless the request came over plain HTTP on a local network.
    #[default]
    Auto,
    /// `true`.
    Always,
    /// `false`.
    Never,
}

impl Serialize for SecureCookies {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => to.serialize_str("auto"),
            Self::Always => to.serialize_bool(true),
            Self::Never => to.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for SecureCookies {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        if value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("auto")) {
            return Ok(Self::Auto);
        }
        match values::switch(value.clone()) {
            Ok(true) => Ok(Self::Always),
            Ok(false) => Ok(Self::Never),
            Err(_) => Err(values::misfit(&value, "auto, true or false")),
        }
    }
}
