//! A provider's signing keys: fetched on demand, and again when a token names an unknown one.

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};

use super::LoginFailure;
use super::http::{Cache, Http};

/// The keys of one provider.
#[derive(Default)]
pub(super) struct SigningKeys(Cache<JwkSet>);

impl SigningKeys {
    /// The keys that may have signed a token that names this key, or none.
    pub(super) async fn find(
        &self,
        kid: Option<&str>,
        http: &Http,
        url: &str,
    ) -> Result<Vec<Jwk>, LoginFailure> {
        let has_it = |set: &JwkSet| !fitting(set, kid).is_empty();
        let set = self.0.get(has_it, http.get(url)).await?;
        Ok(fitting(&set, kid))
    }
}

fn fitting(set: &JwkSet, kid: Option<&str>) -> Vec<Jwk> {
    let is_for_signing =
        |key: &&Jwk| !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    let is_named = |key: &&Jwk| kid.is_none() || key.common.key_id.as_deref() == kid;
    set.keys.iter().filter(is_for_signing).filter(is_named).cloned().collect()
}
