//! HTTP: the router built from the declarations of the modules, the envelope of every answer, and the client's files.

mod acceptor;
mod answer;
mod asyncapi;
mod body;
mod caller;
mod connection;
mod cors;
mod descriptors;
mod docs;
mod download;
mod extract;
mod failures;
mod gate;
mod health;
mod host;
pub mod lenient;
mod limits;
mod listener;
mod local_network;
mod measure;
mod openapi;
mod places;
mod policy;
mod redirect;
mod router;
mod secure;
mod serve;
mod web;

pub use answer::{Answer, Empty};
pub use body::Body;
pub use caller::Caller;
pub use download::Download;
pub use extract::{
    BoundedInteger, GameQuery, Key, Query, integer_parameter, no_metadata, text_parameter,
};
pub use failures::may_fail;
pub use limits::Budgets;
pub use local_network::local_address;
pub use redirect::Redirect;
pub use router::Route;

pub(crate) use acceptor::Acceptor;
pub(crate) use answer::refuse_handshake;
pub(crate) use answer::tell;
pub(crate) use body::Form;
pub(crate) use connection::{Connection, linger};
pub(crate) use cors::Origins;
pub(crate) use descriptors::room_for_connections;
pub(crate) use health::{METRICS, metrics, probes};
pub(crate) use limits::{Limits, socket_place};
pub(crate) use listener::{Caps, Listener};
pub(crate) use places::Place;
pub(crate) use router::{Envelope, service};
pub(crate) use serve::{Ends, serve};
pub(crate) use web::Pages;
