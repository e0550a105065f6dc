//! Logging in: at identity providers, which handler modules declare, and the resulting accounts.
//!
//! An [`IdentityProvider`] identifies a person; [`OpenId`] is one for OpenID Connect. [`log_in`] turns the person into
//! an account with cookies.

mod account;
mod name;
mod openid;
mod provider;
mod two_words;

pub use account::{log_in, stored};
pub use name::{looks_like_a_bot, name_key, refusal, shown_name};
pub use openid::{ClientAuth, Endpoints, OpenId, OpenIdClient};
pub use provider::{Attempt, Failure, IdentityProvider, Person, Provider, Providers};
pub use two_words::two_words;
