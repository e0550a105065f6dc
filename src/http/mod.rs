//! HTTP: the router built from what the modules declare, and the envelope of every answer.

mod answer;
mod caller;
mod cors;
mod docs;
mod download;
mod extract;
mod health;
pub mod lenient;
mod limits;
mod redirect;
mod router;
mod standing;

pub use answer::{Answer, Empty};
pub use caller::Caller;
pub use download::Download;
pub use extract::{Body, GameQuery, Key, Query, integer_parameter, no_metadata};
pub use limits::Budgets;
pub use redirect::Redirect;
pub use router::Route;
pub use standing::Standing;

pub(crate) use answer::refuse_handshake;
pub(crate) use cors::Origins;
pub(crate) use limits::{Limits, socket_ticket};
pub(crate) use router::service;
