//! Requests to a provider: with timeout, bounded, and without redirects.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::LoginFailure;

/// Timeout of a request; the player waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer, in bytes.
const ANSWER_LIMIT: usize = 256 * 1024;
/// How long a provider's metadata and keys are cached; after that, a withdrawn key is no longer accepted.
const CACHED: Duration = Duration::from_secs(60 * 60);
/// Shortest interval between two fetches for something that the last answer lacked.
const REFETCH: Duration = Duration::from_secs(3);

/// The HTTP client for a provider.
pub(super) struct Http(Client);

impl Http {
    pub(super) fn new() -> Result<Self, String> {
        let client = Client::builder()
            .timeout(PATIENCE)
            // A redirect would send secrets to another party.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("typephoon-api/", env!("CARGO_PKG_VERSION")))
            .build();
        client
            .map(Self)
            .map_err(|error| format!("cannot connect to identity providers: {}", chain(&error)))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, LoginFailure> {
        // Metadata is public, so a refusal means that it is not there.
        json(send(self.0.get(url), url).await?, url)
            .await
            .map_err(|_| LoginFailure::ProviderUnavailable)
    }

    /// A request with an access token (RFC 6750).
    pub(super) async fn get_as<T: DeserializeOwned>(
        &self,
        url: &str,
        access: &str,
    ) -> Result<T, LoginFailure> {
        json(send(self.0.get(url).bearer_auth(access), url).await?, url).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        form: &[(&str, &str)],
        basic: Option<(String, String)>,
    ) -> Result<T, LoginFailure> {
        let mut request = self.0.post(url).form(form);
        if let Some((name, password)) = basic {
            request = request.basic_auth(name, Some(password));
        }
        json(send(request, url).await?, url).await
    }
}

async fn send(request: RequestBuilder, url: &str) -> Result<Response, LoginFailure> {
    request.send().await.map_err(|error| {
        // Without the URL, whose query might contain secrets.
        let error = error.without_url();
        tracing::warn!(url, error = %chain(&error), "an identity provider does not answer");
        LoginFailure::ProviderUnavailable
    })
}

/// An error's message with those of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |it| it.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

async fn json<T: DeserializeOwned>(mut response: Response, url: &str) -> Result<T, LoginFailure> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| LoginFailure::ProviderUnavailable)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_LIMIT {
            tracing::warn!(url, "an identity provider's answer is too long");
            return Err(LoginFailure::ProviderUnavailable);
        }
    }
    if !status.is_success() {
        // RFC 6749, section 5.2: the code is one of a few words.
        let told: Told = serde_json::from_slice(&body).unwrap_or_default();
        let error: String = told.error.chars().take(64).collect();
        tracing::warn!(url, %status, error, "an identity provider refuses");
        let is_ours = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        return Err(if is_ours {
            LoginFailure::CodeRefused
        } else {
            LoginFailure::ProviderUnavailable
        });
    }
    serde_json::from_slice(&body).map_err(|error| {
        tracing::warn!(url, %error, "an identity provider sent an unexpected answer");
        LoginFailure::ProviderUnavailable
    })
}

#[derive(Default, serde::Deserialize)]
struct Told {
    #[serde(default)]
    error: String,
}

/// A value that is fetched on demand, and cached for a while. Concurrent callers wait for one request and share its
/// failure; otherwise each would wait for the requests of all before it.
pub(super) struct Cache<T>(Mutex<Cached<T>>);

struct Cached<T> {
    value: Option<(Instant, T)>,
    failed: Option<(Instant, LoginFailure)>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(Cached { value: None, failed: None }))
    }
}

impl<T: Clone> Cache<T> {
    /// The cached value if it is not too old and `serves`, else a fetched one. Fetches at most every [`REFETCH`]: until
    /// then, and if fetching fails, a cached value that serves is used at any age.
    pub(super) async fn get(
        &self,
        serves: impl Fn(&T) -> bool,
        fetch: impl Future<Output = Result<T, LoginFailure>>,
    ) -> Result<T, LoginFailure> {
        let asked = Instant::now();
        let mut kept = self.0.lock().await;
        if let Some((at, value)) = &kept.value {
            let age = at.elapsed();
            if age < REFETCH || age < CACHED && serves(value) {
                return Ok(value.clone());
            }
        }
        let fetched = match kept.failed {
            Some((at, failure)) if at >= asked => Err(failure),
            _ => {
                let fetched = fetch.await;
                kept.failed = fetched.as_ref().err().map(|failure| (Instant::now(), *failure));
                fetched
            }
        };
        match (fetched, &kept.value) {
            (Ok(value), _) => {
                kept.value = Some((Instant::now(), value.clone()));
                Ok(value)
            }
            (Err(_), Some((_, value))) if serves(value) => Ok(value.clone()),
            (Err(failure), _) => Err(failure),
        }
    }
}
