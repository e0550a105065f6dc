//! The claims of a token, as the contract has them (JWT, RFC 7519).

use serde::{Deserialize, Serialize};

use crate::game::{User, UserId, UserType};

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
    pub(super) fn into_user(self) -> User {
        User { id: self.sub, name: self.name, user_type: self.user_type }
    }
}
