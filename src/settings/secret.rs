//! Texts that must not be shown: [`Secret`] and [`ServiceUrl`], and the masking of passwords inside addresses.
//!
//! Both types hide themselves in `Debug` and when serialised, so that neither a log line nor the `config` command can
//! show them by accident; `expose` is the one way to the text.

use std::fmt;

use serde::{Serialize, Serializer};

/// What is shown in place of a secret.
pub(super) const MASK: &str = "***";

/// Names (or parts of names) under which secrets are kept in module sections and in the query of an address.
const SECRET_WORDS: [&str; 6] = [
    "secret",
    "password",
    "passwd",
    "token",
    "credential",
    "private",
];

/// A text that is never shown: a password, a key. An empty one stays visibly empty.
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

/// The address of a service, which may carry a password: `postgres://user:password@host/db`.
///
/// Shown with the password masked: `postgres://user:***@host/db`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// The whole address, password included, for the one place that connects.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        // Without a scheme nobody can tell which part is the password.
        if self.0.contains("://") {
            mask_address(&self.0)
        } else {
            MASK.to_owned()
        }
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

/// `text` with the password of an address masked; a text that is no address is returned as it is.
///
/// People paste passwords without percent-encoding them, so the user part is taken to reach to the *last* `@`:
/// rather too much is masked than too little.
pub(super) fn mask_address(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let Some((user, place)) = rest.rsplit_once('@') else {
        return format!("{scheme}://{}", mask_query(rest));
    };
    // An `@` behind a secret parameter: it may belong to that secret, so where the user part ends is anyone's guess.
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

/// Masks the values of secret-sounding parameters behind the first `?`.
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
            (
                "postgres:///db?user=u&password=p",
                "postgres:///db?user=u&password=***",
            ),
            (
                "http://localhost:3000/error?a=b",
                "http://localhost:3000/error?a=b",
            ),
            ("no address", "no address"),
        ] {
            assert_eq!(mask_address(written), shown);
        }
        assert_eq!(
            format!("{:?}", ServiceUrl::from("host=h password=p")),
            "***"
        );
    }

    proptest! {
        #[test]
        fn no_password_survives_in_an_address(password in "[ -~]{1,20}") {
            let shown = mask_address(&format!("postgres://user:{password}@host/db"));
            prop_assert!(shown == "postgres://user:***@host/db" || shown == "postgres://***");
        }
    }
}
