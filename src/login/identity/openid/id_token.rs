//! Verification of the id token (OpenID Connect Core 1.0, section 3.1.3.7).

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::{LoginFailure, Person};
use super::{Names, OpenIdClient};

/// Signature algorithms with a key that only the provider has. `none` proves nothing, and with HMAC by the client's
/// secret, anyone who knows the secret could pose as the provider.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Allowed difference between the provider's clock and this server's, in seconds.
const LEEWAY: u64 = 60;

#[derive(Deserialize)]
struct IdTokenClaims {
    sub: String,
    aud: AudienceClaim,
    azp: Option<String>,
    nonce: Option<String>,
    #[serde(flatten)]
    names: Names,
}

/// serde takes the first variant that fits, and `One` fits everything.
#[derive(Deserialize)]
#[serde(untagged)]
enum AudienceClaim {
    Several(Vec<IgnoredAny>),
    One(IgnoredAny),
}

/// The id of the key in a token's header.
pub(super) fn key_id(token: &str) -> Result<Option<String>, LoginFailure> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| unbelievable("no token"))?;
    Ok(header.kid)
}

/// Verifies the token, and returns the person.
pub(super) fn check(
    token: &str,
    keys: &[Jwk],
    client: &OpenIdClient,
    nonce: &str,
) -> Result<Person, LoginFailure> {
    let claims = signed(token, keys, client)?;
    // A token with several audiences must have been issued to this client.
    let is_shared = matches!(&claims.aud, AudienceClaim::Several(all) if all.len() > 1);
    let is_ours = match &claims.azp {
        Some(party) => *party == client.id,
        None => !is_shared,
    };
    if !is_ours {
        return Err(unbelievable("issued for another client"));
    }
    if claims.nonce.as_deref() != Some(nonce) {
        return Err(unbelievable("belongs to another login"));
    }
    Person::new(&claims.sub, claims.names.all())
        .ok_or_else(|| unbelievable("a subject that cannot be kept"))
}

/// The claims, if one of the keys has signed them, and issuer, audience and time are right.
fn signed(token: &str, keys: &[Jwk], client: &OpenIdClient) -> Result<IdTokenClaims, LoginFailure> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| unbelievable("no token"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(unbelievable("not signed by the provider's key"));
    }
    let mut rules = Validation::new(header.alg);
    rules.leeway = LEEWAY;
    rules.validate_nbf = true;
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.set_issuer(&client.issuers);
    rules.set_audience(&[&client.id]);
    let mut problem = "the provider has no such key".to_owned();
    for key in keys {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match jsonwebtoken::decode(token, &key, &rules) {
            Ok(token) => return Ok(token.claims),
            // Only the kind of error, since its text might quote the token.
            Err(error) => problem = format!("{:?}", error.kind()),
        }
    }
    Err(unbelievable(&problem))
}

fn unbelievable(why: &str) -> LoginFailure {
    tracing::warn!(why, "an id token could not be verified");
    LoginFailure::InvalidIdentity
}
