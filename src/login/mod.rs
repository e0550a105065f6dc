//! Logging in: at identity providers, which handler modules declare, and the resulting accounts.
//!
//! An [`IdentityProvider`] identifies a person; [`OpenId`] is one for OpenID Connect. [`log_in`] turns the person into
//! an account with cookies.

mod account;
pub(crate) mod identity;
mod two_words;

pub use account::{log_in, stored};
pub use identity::{
    Attempt, ClientAuth, Endpoints, IdentityProvider, LoginFailure, OpenId, OpenIdClient, Person,
    Provider, Providers, looks_like_a_bot, name_key, refusal, shown_name,
};
pub use two_words::two_words;
