//! The public keys by which signatures are checked, without a private key or a running server.

use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation};
use serde::de::DeserializeOwned;

use super::own;
use super::token::Purpose;
use crate::settings::{Secret, Settings, TokenSettings};

/// Public keys, by name: the thumbprint of RFC 7638.
#[derive(Clone)]
pub struct PublicKeys(Vec<(String, DecodingKey)>);

/// What a server has asserted, and by which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested<T> {
    /// What is asserted.
    pub claims: T,
    /// The name of the key that has signed it.
    pub key: String,
}

impl PublicKeys {
    /// Those of the settings, or else of the data directory, and those that are accepted besides. Generates none.
    ///
    /// # Errors
    /// One sentence, if one cannot be read.
    pub fn load(settings: &Settings) -> Result<Self, String> {
        let own = match &settings.token.public_key {
            Some(pem) => pem.clone(),
            None => own::public(&settings.data_dir)?,
        };
        Self::of(&own, &settings.token)
    }

    /// That of the server first.
    pub(super) fn of(own: &Secret, settings: &TokenSettings) -> Result<Self, String> {
        let own = named(own.expose())
            .map_err(|error| format!("token.public_key is not an RSA key in PEM: {error}"))?;
        let accepted = settings.accepted_public_keys.as_ref().map_or("", Secret::expose);
        let accepted = Self::parse(accepted)
            .map_err(|complaint| format!("token.accepted_public_keys: {complaint}"))?;
        Ok(Self([vec![own], accepted.0].concat()))
    }

    /// Those of a text: PEM blocks, one after the other.
    ///
    /// # Errors
    /// Which of them is not an RSA key in PEM.
    pub fn parse(text: &str) -> Result<Self, String> {
        const END: &str = "-----END ";
        let blocks = text.split_inclusive("\n").fold(vec![String::new()], |mut blocks, line| {
            let block = blocks.last_mut().expect("there is always one");
            block.push_str(line);
            if line.starts_with(END) {
                blocks.push(String::new());
            }
            blocks
        });
        let blocks = blocks.iter().filter(|block| !block.trim().is_empty()).zip(1..);
        let keys = blocks.map(|(block, nth): (_, u32)| {
            named(block).map_err(|error| format!("key {nth} is not an RSA key in PEM: {error}"))
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the first one.
    pub(super) fn first(&self) -> &str {
        self.0.first().map_or("", |(name, _)| name)
    }

    /// The claims of what [`TokenKeys::attest`](super::TokenKeys::attest) has signed under this name. It has no expiry.
    ///
    /// # Errors
    /// One sentence, if it was not signed by one of these keys, or as something else, such as an access token.
    pub fn attested<T: DeserializeOwned>(
        &self,
        name: &'static str,
        signed: &str,
    ) -> Result<Attested<T>, String> {
        let unreadable = |_| "it is not a JWS in the compact serialisation".to_owned();
        let header = jsonwebtoken::decode_header(signed).map_err(unreadable)?;
        let (expected, typ) = (Purpose::Attested(name).typ(), header.typ.unwrap_or_default());
        if typ != expected {
            return Err(format!("its type is {typ:?}, not {expected:?}"));
        }
        let key = header.kid.ok_or("it does not name its key")?;
        if self.0.iter().all(|(name, _)| *name != key) {
            let names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
            return Err(format!(
                "it is by the key {key:?}, which is not known: {}",
                names.join(", ")
            ));
        }
        let token = self.decode(signed).map_err(|error| reason(error.kind()).to_owned())?;
        Ok(Attested { claims: token.claims, key })
    }

    /// Verifies the signature with the key that the token names, or with each key if it names none (as in the Python
    /// backend).
    pub(super) fn decode<T: DeserializeOwned>(
        &self,
        token: &str,
    ) -> Result<TokenData<T>, JwtError> {
        let mut rules = Validation::new(Algorithm::RS256);
        rules.validate_aud = false;
        // Expiry is checked by this server's clock; a missing claim makes the token invalid.
        rules.validate_exp = false;
        rules.required_spec_claims.clear();
        let kid = jsonwebtoken::decode_header(token)?.kid;
        let mut problem = ErrorKind::InvalidSignature.into();
        for (name, key) in &self.0 {
            if kid.as_ref().is_none_or(|kid| kid == name) {
                match jsonwebtoken::decode(token, key, &rules) {
                    Ok(token) => return Ok(token),
                    Err(error) => problem = error,
                }
            }
        }
        Err(problem)
    }
}

/// A public key with its thumbprint as name.
fn named(pem: &str) -> Result<(String, DecodingKey), JwtError> {
    let key = DecodingKey::from_rsa_pem(pem.as_bytes())?;
    let jwk = Jwk::from_decoding_key(&key, Some(Algorithm::RS256))?;
    Ok((jwk.thumbprint(ThumbprintHash::SHA256)?, key))
}

/// Own messages, since those of the library may quote the token.
pub(super) fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "Signature verification failed",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "The specified alg value is not allowed"
        }
        ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => {
            "The claims are not those of ours"
        }
        _ => "Not enough segments",
    }
}
