//! HTTP: the router built from what the modules declare, the envelope of every answer, and the files of the client.

mod answer;
mod caller;
mod cors;
mod docs;
mod door;
mod download;
mod extract;
mod failures;
mod health;
pub mod lenient;
mod limits;
mod openapi;
mod policy;
mod redirect;
mod router;
mod secure;
mod standing;
mod web;

pub use answer::{Answer, Empty};
pub use caller::Caller;
pub use download::Download;
pub use extract::{
    Body, BoundedInteger, GameQuery, Key, Query, integer_parameter, no_metadata, text_parameter,
};
pub use failures::may_fail;
pub use limits::Budgets;
pub use redirect::Redirect;
pub use router::Route;
pub use standing::{Standing, UNRANKED};

pub(crate) use answer::refuse_handshake;
pub(crate) use cors::Origins;
pub(crate) use door::Door;
pub(crate) use limits::{Limits, socket_ticket};
pub(crate) use router::service;
