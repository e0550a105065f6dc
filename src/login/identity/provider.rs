//! The trait of identity providers, and their registry.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{looks_like_a_bot, shown_name};

/// Longest subject, in bytes (OpenID Connect Core 1.0, section 2).
const SUBJECT_LIMIT: usize = 255;

/// Random values that bind the two halves of a login together.
#[derive(Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// Returned by the browser: 64 hex digits.
    pub state: String,
    /// Returned in the id token.
    pub nonce: String,
    /// Proves that the code is redeemed by the client that started the login (PKCE, RFC 7636): 64 hex digits.
    pub verifier: String,
}

impl Attempt {
    /// A new random attempt.
    pub fn new() -> Self {
        let [state, nonce, verifier] = [0; 3]
            .map(|_| format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()));
        Self { state, nonce, verifier }
    }
}

impl Default for Attempt {
    fn default() -> Self {
        Self::new()
    }
}

/// A person, as identified by a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    subject: String,
    name: Option<String>,
}

impl Person {
    /// A person with a storable id. The first usable name is taken, cleaned up for display; names that look like bots
    /// are skipped.
    pub fn new<'a>(
        subject: &str,
        names: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Option<Self> {
        let fits = !subject.is_empty()
            && subject.len() <= SUBJECT_LIMIT
            && !subject.chars().any(char::is_control);
        let shown = |name| shown_name(name).filter(|name| !looks_like_a_bot(name));
        let name = names.into_iter().flatten().find_map(shown);
        fits.then(|| Self { subject: subject.to_owned(), name })
    }

    /// The provider's own id.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The person's name, if the provider has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Why a login failed. The error page gets the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// The provider is known, but not set up here.
    NotConfigured,
    /// The player declined at the provider.
    AccessDenied,
    /// The provider reported another error.
    ProviderError,
    /// The provider does not answer, or not as specified.
    ProviderUnavailable,
    /// The login was started too long ago, or has been completed before.
    UnknownState,
    /// The login was started in another browser.
    OtherBrowser,
    /// The provider rejects the code: it has expired, or the client's registration is wrong.
    CodeRefused,
    /// The id token could not be verified.
    InvalidIdentity,
    /// Too many logins from this address.
    TooManyRequests,
    /// Internal error of this server.
    ServerError,
}

impl LoginFailure {
    /// Every failure, for the documentation.
    pub const ALL: [Self; 10] = [
        Self::NotConfigured,
        Self::AccessDenied,
        Self::ProviderError,
        Self::ProviderUnavailable,
        Self::UnknownState,
        Self::OtherBrowser,
        Self::CodeRefused,
        Self::InvalidIdentity,
        Self::TooManyRequests,
        Self::ServerError,
    ];

    /// The stable code: the `reason` of the error page.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::AccessDenied => "access_denied",
            Self::ProviderError => "provider_error",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::UnknownState => "unknown_state",
            Self::OtherBrowser => "other_browser",
            Self::CodeRefused => "code_refused",
            Self::InvalidIdentity => "invalid_identity",
            Self::TooManyRequests => "too_many_requests",
            Self::ServerError => "server_error",
        }
    }
}

/// Identifies a person, in two steps, between which the browser visits the provider.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// The URL to redirect the browser to.
    ///
    /// # Errors
    /// [`LoginFailure::ProviderUnavailable`], if the provider's metadata cannot be fetched.
    async fn authorize(&self, attempt: &Attempt) -> Result<String, LoginFailure>;

    /// The person who returned with this code.
    ///
    /// # Errors
    /// `ProviderUnavailable`, `CodeRefused` or `InvalidIdentity`; the log has details.
    async fn identify(&self, code: &str, attempt: &Attempt) -> Result<Person, LoginFailure>;
}

/// A named provider.
#[derive(Clone)]
pub struct Provider {
    /// Its name in paths and in front of user ids: lowercase letters and digits.
    pub name: String,
    /// Its title for players.
    pub title: String,
    /// `None` if the operator has not set it up.
    pub identity: Option<Arc<dyn IdentityProvider>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_configured = self.identity.is_some();
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("is_configured", &is_configured)
            .finish()
    }
}

/// Every provider declared by a module.
#[derive(Clone, Debug, Default)]
pub struct Providers(BTreeMap<String, Provider>);

impl Providers {
    /// Adds a provider.
    ///
    /// # Errors
    /// One sentence, if its name is invalid or taken.
    pub(crate) fn add(&mut self, provider: Provider) -> Result<(), String> {
        let name = provider.name.clone();
        let fits = !name.is_empty()
            && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
        // Reserved: ids of guests, bots and local accounts begin with these.
        if !fits || matches!(name.as_str(), "guest" | "bot" | "local") {
            return Err(format!(
                "{name:?} cannot be the name of an identity provider: lowercase letters and digits are \
                 wanted, and guest, bot and local are taken"
            ));
        }
        match self.0.insert(name.clone(), provider) {
            None => Ok(()),
            Some(_) => Err(format!("two identity providers are called {name}")),
        }
    }

    /// The provider with that name.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.0.get(name)
    }

    /// The providers that are set up.
    pub fn configured(&self) -> impl Iterator<Item = &Provider> {
        self.0.values().filter(|provider| provider.identity.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str) -> Provider {
        Provider { name: name.into(), title: name.into(), identity: None }
    }

    #[test]
    fn a_provider_has_a_name_of_its_own() {
        let mut providers = Providers::default();
        assert_eq!(providers.add(provider("keycloak2")), Ok(()));
        for name in ["keycloak2", "guest", "local", "", "two-words", "Upper", "a/b"] {
            assert!(providers.add(provider(name)).is_err(), "{name}");
        }
        assert_eq!(providers.configured().count(), 0);
    }

    #[test]
    fn a_person_has_an_id_that_can_be_kept_and_the_first_name_that_can_be_shown() {
        let named = |names: &[Option<&str>]| {
            let person = Person::new("1", names.iter().copied()).unwrap();
            person.name().map(str::to_owned)
        };
        assert_eq!(named(&[None, Some(" \n "), Some("Anna"), Some("Ben")]), Some("Anna".into()));
        assert_eq!(named(&[]), None);
        for subject in ["", "a\nb", "\u{0}", &"x".repeat(256)] {
            assert_eq!(Person::new(subject, []), None, "{subject:?}");
        }
    }

    #[test]
    fn every_failure_has_a_code_of_its_own_that_the_document_explains() {
        let document = include_str!("../../../docs/login.md");
        for failure in LoginFailure::ALL {
            assert!(document.contains(&format!("| `{}` |", failure.code())), "{failure:?}");
        }
    }
}
