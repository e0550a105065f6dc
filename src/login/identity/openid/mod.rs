//! The part of OpenID Connect that a login needs: the authorization code flow of OpenID Connect Core 1.0, section 3.1,
//! with PKCE (RFC 7636).
//!
//! The id token identifies the person. The provider's access token is used only to ask for a name, if the id token has
//! none.

mod http;
mod id_token;
mod keys;

use async_trait::async_trait;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use serde::Deserialize;

use self::http::{Cache, Http};
use self::keys::SigningKeys;
use super::{Attempt, IdentityProvider, LoginFailure, Person};
use crate::settings::Secret;

/// The registration of this server at a provider.
#[derive(Clone, Debug)]
pub struct OpenIdClient {
    /// The client id.
    pub id: String,
    /// The client secret; a public client has none.
    pub secret: Option<Secret>,
    /// The redirect URI.
    pub redirect_url: String,
    /// Accepted values of `iss` in id tokens; the first is the base of the discovery URL.
    pub issuers: Vec<String>,
    /// The provider's endpoints.
    pub endpoints: Endpoints,
    /// More parameters of the authorization request.
    pub parameters: Vec<(&'static str, String)>,
}

/// The endpoints of a provider.
#[derive(Clone, Debug)]
pub enum Endpoints {
    /// By discovery (OpenID Connect Discovery 1.0).
    Discovered,
    /// As configured.
    Given {
        /// The authorization endpoint.
        authorize: String,
        /// The token endpoint.
        token: String,
        /// The URL of the signing keys.
        jwks: String,
    },
}

/// Client authentication at the token endpoint (OpenID Connect Core 1.0, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// HTTP Basic.
    Basic,
    /// In the body.
    Post,
}

/// Characters that form encoding leaves unchanged (RFC 6749, appendix B), for providers that do not decode.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// The requested scope.
const SCOPE: &str = "openid email profile";

/// A provider that speaks OpenID Connect.
pub struct OpenId {
    client: OpenIdClient,
    http: Http,
    metadata: Cache<Metadata>,
    keys: SigningKeys,
}

/// Metadata of a provider, from discovery or from the settings.
#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Basic is the default, unless the provider says otherwise (RFC 8414, section 2).
    fn client_auth(&self) -> ClientAuth {
        match &self.token_endpoint_auth_methods_supported {
            Some(methods) if !methods.iter().any(|it| it == "client_secret_basic") => {
                ClientAuth::Post
            }
            _ => ClientAuth::Basic,
        }
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
    access_token: Option<String>,
}

/// The provider's user info (OpenID Connect Core 1.0, section 5.3).
#[derive(Deserialize)]
struct ProviderUserInfo {
    sub: String,
    #[serde(flatten)]
    names: Names,
}

/// Possible names of a player, the best first.
#[derive(Deserialize)]
struct Names {
    name: Option<String>,
    preferred_username: Option<String>,
    nickname: Option<String>,
}

impl Names {
    fn all(&self) -> [Option<&str>; 3] {
        [&self.name, &self.preferred_username, &self.nickname].map(|name| name.as_deref())
    }
}

impl OpenId {
    /// Fetches nothing before the first login.
    ///
    /// # Errors
    /// One sentence, if the HTTP client cannot be created.
    pub fn new(client: OpenIdClient) -> Result<Self, String> {
        let http = Http::new()?;
        Ok(Self { client, http, metadata: Cache::default(), keys: SigningKeys::default() })
    }

    async fn metadata(&self) -> Result<Metadata, LoginFailure> {
        let issuer = self.client.issuers.first().ok_or(LoginFailure::NotConfigured)?;
        if let Endpoints::Given { authorize, token, jwks } = &self.client.endpoints {
            return Ok(Metadata {
                issuer: issuer.clone(),
                authorization_endpoint: authorize.clone(),
                token_endpoint: token.clone(),
                jwks_uri: jwks.clone(),
                userinfo_endpoint: None,
                token_endpoint_auth_methods_supported: Some(vec!["client_secret_post".into()]),
            });
        }
        let fetch = async {
            let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
            let metadata: Metadata = self.http.get(&at).await?;
            // Otherwise one provider could impersonate another (Discovery 1.0, section 4.3).
            if metadata.issuer != *issuer {
                tracing::warn!(
                    issuer,
                    says = metadata.issuer,
                    "an OpenID provider has another issuer than configured"
                );
                return Err(LoginFailure::ProviderUnavailable);
            }
            Ok(metadata)
        };
        self.metadata.get(|_| true, fetch).await
    }

    /// Exchanges a code, with the client's credentials.
    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        attempt: &Attempt,
    ) -> Result<TokenAnswer, LoginFailure> {
        let client = &self.client;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", client.redirect_url.as_str()),
            ("code_verifier", attempt.verifier.as_str()),
        ];
        let mut basic = None;
        match (&client.secret, metadata.client_auth()) {
            (Some(secret), ClientAuth::Basic) => {
                // Id and secret are form-encoded first (RFC 6749, section 2.3.1).
                let encoded = |text| utf8_percent_encode(text, FORM).to_string();
                basic = Some((encoded(&client.id), encoded(secret.expose())));
            }
            (Some(secret), ClientAuth::Post) => {
                form.extend([
                    ("client_id", client.id.as_str()),
                    ("client_secret", secret.expose()),
                ]);
            }
            (None, _) => form.push(("client_id", client.id.as_str())),
        }
        self.http.post(&metadata.token_endpoint, &form, basic).await
    }

    /// Asks for the name if the id token has none: providers may return names by user info only (OpenID Connect Core
    /// 1.0, section 5.4). Without an answer the player has no name.
    async fn ask_for_name(&self, person: Person, metadata: &Metadata, access: &str) -> Person {
        let Some(url) = &metadata.userinfo_endpoint else { return person };
        match self.http.get_as::<ProviderUserInfo>(url, access).await {
            // Otherwise the answer is about another person (section 5.3.2).
            Ok(info) if info.sub == person.subject() => {
                Person::new(person.subject(), info.names.all()).unwrap_or(person)
            }
            _ => person,
        }
    }
}

#[async_trait]
impl IdentityProvider for OpenId {
    async fn authorize(&self, attempt: &Attempt) -> Result<String, LoginFailure> {
        let metadata = self.metadata().await?;
        let mut url = Url::parse(&metadata.authorization_endpoint).map_err(|error| {
            tracing::warn!(%error, "an OpenID provider has no authorization endpoint");
            LoginFailure::ProviderUnavailable
        })?;
        let challenge = digest::digest(&digest::SHA256, attempt.verifier.as_bytes());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.id)
            .append_pair("scope", SCOPE)
            .append_pair("redirect_uri", &self.client.redirect_url)
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(&self.client.parameters);
        Ok(url.into())
    }

    async fn identify(&self, code: &str, attempt: &Attempt) -> Result<Person, LoginFailure> {
        let metadata = self.metadata().await?;
        let TokenAnswer { id_token: token, access_token } =
            self.exchange(&metadata, code, attempt).await?;
        let kid = id_token::key_id(&token)?;
        let keys = self.keys.find(kid.as_deref(), &self.http, &metadata.jwks_uri).await?;
        let person = id_token::check(&token, &keys, &self.client, &attempt.nonce)?;
        match access_token.filter(|_| person.name().is_none()) {
            Some(access) => Ok(self.ask_for_name(person, &metadata, &access).await),
            None => Ok(person),
        }
    }
}
