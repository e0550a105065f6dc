//! Identity providers, and the names that they may give.

mod name;
mod openid;
mod provider;

pub use name::{looks_like_a_bot, name_key, refusal, shown_name};
pub use openid::{ClientAuth, Endpoints, OpenId, OpenIdClient};
pub use provider::{Attempt, IdentityProvider, LoginFailure, Person, Provider, Providers};
