//! HTTP: the router built from the declarations of the modules, the envelope of every answer, and the client's files.

mod acceptor;
mod asyncapi;
mod body;
mod caller;
mod descriptors;
mod docs;
mod download;
pub(crate) mod edge;
mod extract;
mod figures;
mod files;
mod gate;
mod health;
mod host;
mod listener;
mod local_network;
mod measure;
mod openapi;
mod policy;
mod redirect;
mod router;
mod secure;
mod serve;
mod web;

pub use self::edge::{Answer, Budgets, Empty, Query, Rate, lenient, may_fail};
pub use body::Body;
pub use caller::Caller;
pub use download::Download;
pub use extract::{BoundedInteger, GameQuery, Key, integer_parameter, no_metadata, text_parameter};
pub use local_network::local_address;
pub use redirect::Redirect;

pub(crate) use self::edge::{Limits, Origins, tell};
pub(crate) use acceptor::Acceptor;
pub(crate) use body::Form;
pub(crate) use descriptors::room_for_connections;
pub(crate) use figures::exposed;
pub(crate) use health::{METRICS, metrics, probes};
pub(crate) use listener::{Caps, Listener};
pub(crate) use router::{EnvelopeCatcher, service};
pub(crate) use serve::{Ends, serve};
pub(crate) use web::Pages;
