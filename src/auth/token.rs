//! The claims of a token, as the contract has them (JWT, RFC 7519).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::game::{LoginId, Timestamp, User, UserId, UserType};
use crate::{Error, Kind};

/// Who shows an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Who.
    pub user: User,
    /// Since which login; guests have none, and tokens of the old backend do not say.
    pub login: Option<LoginId>,
}

/// What a token is for. Tokens of the old backend do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Opens what is locked.
    Access,
    /// Gets a new access token, and nothing else.
    Refresh,
}

impl Purpose {
    /// The `typ` of the header (RFC 7515, section 4.1.9): refresh tokens have one of their own, so
    /// that neither is taken for the other. The claims stay exactly those of the contract.
    pub(super) const fn typ(self) -> &'static str {
        match self {
            Self::Access => "JWT",
            Self::Refresh => "refresh+jwt",
        }
    }
}

/// The claims, exactly these.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: UserId,
    pub(super) name: String,
    pub(super) exp: i64,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) user_type: UserType,
}

impl Claims {
    /// Those of a token that is good for `life` seconds.
    pub(super) fn of(user: &User, now: Timestamp, life: i64) -> Self {
        let User { id: sub, name, user_type } = user.clone();
        let iat = now.seconds();
        Self { sub, name, exp: iat + life, nbf: iat - 1, iat, user_type }
    }

    pub(super) fn check_expiry(&self, now: Timestamp) -> Result<(), Error> {
        let expired = || Error::new(Kind::TOKEN_EXPIRED, "Signature has expired");
        (now.seconds() < self.exp).then_some(()).ok_or_else(expired)
    }

    pub(super) fn into_user(self) -> User {
        User { id: self.sub, name: self.name, user_type: self.user_type }
    }
}

/// What is stored of a refresh token: enough to know it again, and not to use it. Plain SHA-256 will do,
/// since a token cannot be guessed.
pub fn fingerprint(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}
