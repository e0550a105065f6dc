//! The keys that sign and verify tokens.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, TokenData};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::own;
use super::public::{PublicKeys, reason};
use super::token::{Bearer, Purpose, TokenClaims};
use crate::game::{LoginId, Timestamp, User, UserType};
use crate::settings::Settings;
use crate::{Error, Kind};

/// Header parameter with the login of an access token: the claims are exactly those of the Python backend, and RFC
/// 7519, section 5.3, allows further header parameters.
const LOGIN: &str = "sid";
/// Makes every refresh token unique, even within a second.
const NONCE: &str = "jti";

/// Signs and checks tokens: RS256 (RFC 7518, section 3.3).
#[derive(Clone)]
pub struct TokenKeys(Arc<TokenKeysInner>);

/// Shared by the clones.
struct TokenKeysInner {
    /// Parsed once: parsing and checking it takes longer than signing.
    signing: RsaKeyPair,
    /// Signatures at once: one less than there are cores, so that a crowd of guests leaves one to the sockets.
    turns: Arc<Semaphore>,
    /// The accepted public keys: that of `signing` first.
    checking: PublicKeys,
    access: i64,
    refresh: i64,
    /// The key for derived secrets, which are the same on all pods.
    secrets: hmac::Key,
}

impl TokenKeys {
    /// The operator's keys, or else those of the data directory, generated at the first start.
    ///
    /// # Errors
    /// One sentence, if they cannot be read, generated or stored.
    pub fn load(settings: &Settings) -> Result<Self, String> {
        let given = (&settings.token.private_key, &settings.token.public_key);
        let (private, public) = match given {
            (Some(private), Some(public)) => (private.clone(), public.clone()),
            (None, None) => own::pair(&settings.data_dir)?,
            (Some(_), None) => {
                return Err("token.private_key is set, but token.public_key is not".into());
            }
            (None, Some(_)) => {
                return Err("token.public_key is set, but token.private_key is not".into());
            }
        };
        let signing = EncodingKey::from_rsa_pem(private.expose().as_bytes())
            .map_err(|error| format!("token.private_key is not an RSA key in PEM: {error}"))?;
        let signing = RsaKeyPair::from_der(signing.as_bytes())
            .map_err(|error| format!("token.private_key cannot sign: {error}"))?;
        let checking = PublicKeys::of(&public, &settings.token)?;
        let seconds = |life: Duration| i64::try_from(life.as_secs()).unwrap_or(i64::MAX / 2);
        let access = seconds(settings.token.access_duration);
        let refresh = seconds(settings.token.refresh_duration);
        let secrets = secrets(&signing)?;
        let cores = available_parallelism().map_or(1, usize::from);
        let turns = Arc::new(Semaphore::new(cores.saturating_sub(1).max(1)));
        let inner = TokenKeysInner { signing, turns, checking, access, refresh, secrets };
        let keys = Self(Arc::new(inner));
        keys.check_that_they_match()?;
        Ok(keys)
    }

    fn check_that_they_match(&self) -> Result<(), String> {
        let anyone = User { id: "anyone".into(), name: String::new(), user_type: UserType::Guest };
        let now = Timestamp::now();
        let token = self.access_token(&anyone, None, now);
        let token = token.map_err(|_| "token.private_key cannot sign")?;
        let known = self.access(Some(&token), now);
        known.map(drop).map_err(|_| "token.private_key and token.public_key are not a pair".into())
    }

    /// Issues an access token, for a login if there is one.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if signing fails.
    pub async fn issue(
        &self,
        user: &User,
        login: Option<&LoginId>,
        now: Timestamp,
    ) -> Result<String, Error> {
        let (user, login) = (user.clone(), login.cloned());
        self.in_turn(move |keys| keys.access_token(&user, login.as_ref(), now)).await
    }

    /// Issues a refresh token.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if signing fails.
    pub async fn issue_refresh(&self, user: &User, now: Timestamp) -> Result<String, Error> {
        let user = user.clone();
        self.in_turn(move |keys| keys.refresh_token(&user, now)).await
    }

    /// Asserts something for anyone with the public key ([`PublicKeys::attested`]): a compact JWS (RFC 7515) of a type
    /// that follows from `name`, so that it is no token, and no token is it. The same claims yield the same text.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if signing fails.
    pub async fn attest(
        &self,
        name: &'static str,
        claims: &impl Serialize,
    ) -> Result<String, Error> {
        let claims = serde_json::to_vec(claims).map_err(Error::internal)?;
        self.in_turn(move |keys| keys.sign(Purpose::Attested(name), None, &claims)).await
    }

    /// The public part of the key that signs, in PEM.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if it cannot be encoded.
    pub fn public_pem(&self) -> Result<String, Error> {
        own::public_pem(self.0.signing.public_key()).map_err(Error::internal)
    }

    /// Signs on a blocking thread: a signature takes up to a millisecond, for which positions would wait. A request that
    /// is cancelled leaves the queue.
    async fn in_turn(
        &self,
        sign: impl FnOnce(&Self) -> Result<String, Error> + Send + 'static,
    ) -> Result<String, Error> {
        let turn = self.0.turns.clone().acquire_owned().await.map_err(Error::internal)?;
        let keys = self.clone();
        let signing = spawn_blocking(move || {
            let signed = sign(&keys);
            drop(turn);
            signed
        });
        signing.await.map_err(Error::internal)?
    }

    fn access_token(
        &self,
        user: &User,
        login: Option<&LoginId>,
        now: Timestamp,
    ) -> Result<String, Error> {
        // A guest's lives as long as a refresh token, since guests cannot refresh it.
        let life = match user.user_type {
            UserType::Guest => self.0.refresh,
            UserType::Registered => self.0.access,
        };
        let login = login.map(|login| (LOGIN, login.to_string()));
        self.token(Purpose::Access, login, &TokenClaims::of(user, now, life))
    }

    fn refresh_token(&self, user: &User, now: Timestamp) -> Result<String, Error> {
        let nonce = (NONCE, format!("{:032x}", rand::random::<u128>()));
        self.token(Purpose::Refresh, Some(nonce), &TokenClaims::of(user, now, self.0.refresh))
    }

    fn token(
        &self,
        purpose: Purpose,
        extra: Option<(&str, String)>,
        claims: &TokenClaims,
    ) -> Result<String, Error> {
        let claims = serde_json::to_vec(claims).map_err(Error::internal)?;
        self.sign(purpose, extra, &claims)
    }

    fn sign(
        &self,
        purpose: Purpose,
        extra: Option<(&str, String)>,
        claims: &[u8],
    ) -> Result<String, Error> {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(purpose.typ().into());
        header.kid = Some(self.0.checking.first().to_owned());
        if let Some((name, value)) = extra {
            header.extras.insert(name, value);
        }
        // The compact serialisation of RFC 7515, section 3.1.
        let header = serde_json::to_vec(&header).map_err(Error::internal)?;
        let message = [&header, claims].map(|json| URL_SAFE_NO_PAD.encode(json)).join(".");
        let signature = sign(&self.0.signing, &message).map_err(Error::internal)?;
        Ok([message, signature].join("."))
    }

    /// Twenty unpredictable letters, always the same for `what` on all pods: derived from the signing key.
    pub fn secret_of(&self, what: &str) -> String {
        let tag = hmac::sign(&self.0.secrets, what.as_bytes());
        tag.as_ref()[..10].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The bearer of an access token.
    ///
    /// # Errors
    /// `TOKEN_NOT_PROVIDED`, `TOKEN_EXPIRED` or `INVALID_TOKEN`.
    pub fn access(&self, token: Option<&str>, now: Timestamp) -> Result<Bearer, Error> {
        let missing =
            || Error::new(Kind::TOKEN_NOT_PROVIDED, "Access token 'TP_AT' not present in cookie");
        let token = self.open(Purpose::Access, token.ok_or_else(missing)?, now)?;
        token.claims.check_expiry(now)?;
        Ok(bearer(token))
    }

    /// The bearer of an access token, even if it has expired: for a logout, which should not need a refresh first.
    pub fn ever_access(&self, token: Option<&str>, now: Timestamp) -> Option<Bearer> {
        self.open(Purpose::Access, token?, now).ok().map(bearer)
    }

    /// The player of a refresh token. Does not check that it is stored.
    ///
    /// # Errors
    /// `TOKEN_NOT_PROVIDED`, or `INVALID_TOKEN`, also for an expired one.
    pub fn refresh(&self, token: Option<&str>, now: Timestamp) -> Result<User, Error> {
        let missing =
            || Error::new(Kind::TOKEN_NOT_PROVIDED, "Refresh token TP_RT not present in cookie");
        let token = self.open(Purpose::Refresh, token.ok_or_else(missing)?, now)?;
        token
            .claims
            .check_expiry(now)
            .map_err(|_| Error::new(Kind::INVALID_TOKEN, "Signature has expired"))?;
        Ok(token.claims.into_user())
    }

    /// Verifies everything but the expiry.
    fn open(
        &self,
        purpose: Purpose,
        token: &str,
        now: Timestamp,
    ) -> Result<TokenData<TokenClaims>, Error> {
        let invalid = |message: &'static str| Error::new(Kind::INVALID_TOKEN, message);
        let token: TokenData<TokenClaims> =
            self.0.checking.decode(token).map_err(|error| invalid(reason(error.kind())))?;
        let typ = token.header.typ.as_deref().unwrap_or("JWT");
        let is = |purpose: Purpose| typ.eq_ignore_ascii_case(&purpose.typ());
        // All tokens of the Python backend have the type JWT; the records check whether one is a stored refresh token.
        if !(is(Purpose::Access) || purpose == Purpose::Refresh && is(Purpose::Refresh)) {
            return Err(invalid("This is another kind of token"));
        }
        let claims = &token.claims;
        // Another pod's clock may be a little ahead, and turn a second earlier; `nbf` has a second in it.
        if claims.nbf > now.seconds() || claims.iat > now.seconds() + 1 {
            return Err(invalid("The token is not yet valid"));
        }
        Ok(token)
    }
}

fn bearer(token: TokenData<TokenClaims>) -> Bearer {
    let login = token.header.extras.get::<LoginId>(LOGIN).ok().flatten();
    Bearer { user: token.claims.into_user(), login }
}

/// An RS256 signature, in base64.
fn sign(key: &RsaKeyPair, message: &str) -> Result<String, Unspecified> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)?;
    Ok(URL_SAFE_NO_PAD.encode(signature))
}

/// Derived from an RS256 signature, which is deterministic and needs the private key.
fn secrets(signing: &RsaKeyPair) -> Result<hmac::Key, String> {
    let signed = sign(signing, "typephoon secrets");
    let signed = signed.map_err(|_| "token.private_key cannot sign")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, signed.as_bytes()))
}

#[cfg(test)]
mod tests;
