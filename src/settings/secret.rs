//! Texts that must not be shown: [`Secret`] and [`ServiceUrl`], and the masking of passwords inside addresses.
//!
//! Both types mask themselves in `Debug` and when serialised, so that neither a log line nor the `config` command can
//! reveal them by accident; only `expose` returns the text.

use std::fmt;

use serde::{Serialize, Serializer};

/// Shown instead of a secret.
pub(super) const MASK: &str = "***";

/// Names (or parts of names) of secrets in module sections and in the query of a URL.
const SECRET_WORDS: [&str; 6] = ["secret", "password", "passwd", "token", "credential", "private"];

/// A text that is never shown: a password, a key. An empty one is shown as empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> &'static str {
        if self.0.is_empty() { "" } else { MASK }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.masked())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.masked())
    }
}

/// The URL of a service, which may contain a password: `postgres://user:password@host/db`.
///
/// Shown with the password masked: `postgres://user:***@host/db`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// The whole URL, including the password, for the one place that connects.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        // Without a scheme, the password cannot be located.
        if self.0.contains("://") { mask_address(&self.0) } else { MASK.to_owned() }
    }
}

impl From<String> for ServiceUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for ServiceUrl {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for ServiceUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

/// Whether a setting or query parameter of this name is likely to hold a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    // `key` only at the end: `api_key` is one, `keystrokes` is not.
    name.ends_with("key") || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// `text` with the password of a URL masked; other texts are returned unchanged.
///
/// Passwords are often pasted without percent-encoding, so the user part is assumed to reach to the *last* `@`: it is
/// better to mask too much than too little.
pub(super) fn mask_address(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let Some((user, place)) = rest.rsplit_once('@') else {
        return format!("{scheme}://{}", mask_query(rest));
    };
    // An `@` after a secret parameter may belong to that secret, so the end of the user part is unknown.
    if mask_query(user) != user {
        return format!("{scheme}://{MASK}");
    }
    // A user part without a colon may be a bare token.
    let user = match user.split_once(':') {
        Some((name, _)) => format!("{name}:{MASK}"),
        None => MASK.to_owned(),
    };
    format!("{scheme}://{user}@{}", mask_query(place))
}

/// Masks the values of parameters with names of secrets, after the first `?`.
fn mask_query(text: &str) -> String {
    let Some((path, query)) = text.split_once('?') else {
        return text.to_owned();
    };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret_name(name) => format!("{name}={MASK}"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_shows_neither_in_debug_nor_serialised() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""***""#);
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{:?}", Secret::default()), "");
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (written, shown) in [
            ("postgres://u:p@host/db", "postgres://u:***@host/db"),
            ("redis://:p@host:6379/0", "redis://:***@host:6379/0"),
            ("https://ghp_token@host", "https://***@host"),
            ("amqp://host/vhost", "amqp://host/vhost"),
            ("postgres:///db?user=u&password=p@q", "postgres://***"),
            ("postgres:///db?user=u&password=p", "postgres:///db?user=u&password=***"),
            ("http://localhost:3000/error?a=b", "http://localhost:3000/error?a=b"),
            ("no address", "no address"),
        ] {
            assert_eq!(mask_address(written), shown);
        }
        assert_eq!(format!("{:?}", ServiceUrl::from("host=h password=p")), "***");
    }

    proptest! {
        #[test]
        fn no_password_survives_in_an_address(password in "[ -~]{1,20}") {
            let shown = mask_address(&format!("postgres://user:{password}@host/db"));
            prop_assert!(shown == "postgres://user:***@host/db" || shown == "postgres://***");
        }
    }
}
