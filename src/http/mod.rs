//! HTTP: the router built from what the modules declare, the envelope of every answer, and the files of the client.

mod answer;
mod caller;
mod cors;
mod docs;
mod door;
mod download;
mod extract;
mod health;
pub mod lenient;
mod limits;
mod measure;
mod redirect;
mod router;
mod secure;
mod standing;
mod web;

pub use answer::{Answer, Empty};
pub use caller::Caller;
pub use download::Download;
pub use extract::{Body, GameQuery, Key, Query, integer_parameter, no_metadata};
pub use limits::Budgets;
pub use redirect::Redirect;
pub use router::Route;
pub use standing::{Standing, UNRANKED};

pub(crate) use answer::refuse_handshake;
pub(crate) use answer::tell;
pub(crate) use cors::Origins;
pub(crate) use door::Door;
pub(crate) use health::{METRICS, metrics, probes};
pub(crate) use limits::{Limits, socket_ticket};
pub(crate) use router::{Envelope, service};
pub(crate) use web::Pages;
