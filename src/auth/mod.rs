//! Tokens and the cookies that carry them. Neither ever reaches a log or a span.

mod cookies;
mod keys;
mod own;
pub mod password;
mod public;
mod role;
mod token;

pub use cookies::{ATTEMPT_MAX_AGE, Cookies, SetCookies};
pub use keys::TokenKeys;
pub use public::{Attested, PublicKeys};
pub use role::Role;
pub(crate) use role::Roles;
pub use token::{Bearer, Purpose, fingerprint};
