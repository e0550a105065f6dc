//! Tokens as the server signs them, and as it must not believe them.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

/// The server's pair in these tests.
pub const PRIVATE_KEY: &str = include_str!("keys/private.pem");
pub const PUBLIC_KEY: &str = include_str!("keys/public.pem");
const STRANGERS_KEY: &str = include_str!("keys/stranger.pem");

/// `guest-` and 32 hex digits.
pub const SOME_GUEST: &str = "guest-88cb3e52139c4b9490a801b68c522192";

/// Seconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(now.as_secs()).expect("a clock before the end of days")
}

/// The claims of a guest's access token that is good for an hour.
pub fn guest_claims(id: &str) -> Value {
    claims(id, id, "GUEST")
}

/// The claims of an access token that is good for an hour.
pub fn claims(id: &str, name: &str, user_type: &str) -> Value {
    let now = now();
    json!({"sub": id, "name": name, "exp": now + 3600, "nbf": now - 1, "iat": now, "user_type": user_type})
}

/// Signed by the server's key.
pub fn sign(claims: &Value) -> String {
    encode(Algorithm::RS256, claims, &rsa(PRIVATE_KEY))
}

/// Signed by an unknown key.
pub fn sign_as_stranger(claims: &Value) -> String {
    encode(Algorithm::RS256, claims, &rsa(STRANGERS_KEY))
}

/// The classic forgery: the public key taken as the secret of a symmetric algorithm.
pub fn sign_symmetrically(claims: &Value) -> String {
    encode(Algorithm::HS256, claims, &EncodingKey::from_secret(PUBLIC_KEY.as_bytes()))
}

/// The right key, another algorithm.
pub fn sign_by_other_algorithm(claims: &Value) -> String {
    encode(Algorithm::RS512, claims, &rsa(PRIVATE_KEY))
}

/// `"alg": "none"`, without a signature.
pub fn unsigned(claims: &Value) -> String {
    const ALG_NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let signed = sign(claims);
    let payload = signed.split('.').nth(1).expect("three parts");
    format!("{ALG_NONE}.{payload}.")
}

/// A token whose claims were changed after it was signed.
pub fn tampered(token: &str) -> String {
    let other = sign(&guest_claims("guest-00000000000000000000000000000000"));
    let payload = other.split('.').nth(1).expect("three parts");
    let parts: Vec<&str> = token.split('.').collect();
    format!("{}.{payload}.{}", parts[0], parts[2])
}

/// The claims, if the server's own key has signed them.
pub fn read(token: &str) -> Value {
    let key = DecodingKey::from_rsa_pem(PUBLIC_KEY.as_bytes()).expect("a public key");
    let validation = Validation::new(Algorithm::RS256);
    jsonwebtoken::decode(token, &key, &validation)
        .unwrap_or_else(|error| panic!("{error}: {token}"))
        .claims
}

/// The header of a token.
pub fn header(token: &str) -> Header {
    jsonwebtoken::decode_header(token).expect("a header")
}

fn encode(algorithm: Algorithm, claims: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).expect("a signature")
}

fn rsa(pem: &str) -> EncodingKey {
    EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a private key")
}
