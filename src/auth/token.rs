//! The claims of a token (JWT, RFC 7519), as in the Python backend.

use std::borrow::Cow;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::game::{LoginId, Timestamp, User, UserId, UserType};
use crate::{Error, Kind};

/// The bearer of an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The user.
    pub user: User,
    /// The login; `None` for guests and for tokens of the Python backend.
    pub login: Option<LoginId>,
}

/// The purpose of a token. Tokens of the Python backend do not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Authenticates requests.
    Access,
    /// Can only be exchanged for a new access token.
    Refresh,
    /// Asserts what its name says, for anyone; no token.
    Attested(&'static str),
}

impl Purpose {
    /// The `typ` of the header (RFC 7515, section 4.1.9): each purpose has its own, so that none can be taken for another
    /// (RFC 8725, section 3.11). The claims of tokens stay exactly those of the Python backend.
    pub(super) fn typ(self) -> Cow<'static, str> {
        match self {
            Self::Access => "JWT".into(),
            Self::Refresh => "refresh+jwt".into(),
            Self::Attested(name) => format!("typephoon-{name}+jwt").into(),
        }
    }
}

/// The claims: exactly these.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TokenClaims {
    pub(super) sub: UserId,
    pub(super) name: String,
    pub(super) exp: i64,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) user_type: UserType,
}

impl TokenClaims {
    /// The claims of a token that is valid for `life` seconds.
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

/// The stored fingerprint of a refresh token: enough to recognise it, but not to use it. Plain SHA-256 suffices, since
/// tokens cannot be guessed.
pub fn fingerprint(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}
