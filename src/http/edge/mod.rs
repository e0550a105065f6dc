//! What a request meets before its route, and what every answer is made of: the connection, the limits of its address,
//! its origin, its query, the envelope.

mod answer;
mod connection;
mod cors;
mod failures;
pub mod lenient;
mod limits;
mod query;
mod rate;
mod slots;

pub use answer::{Answer, Empty};
pub use failures::may_fail;
pub use limits::Budgets;
pub use query::Query;
pub use rate::{Gcra, Rate};

pub(crate) use answer::{refuse_handshake, tell};
pub(crate) use connection::{Connection, linger};
pub(crate) use cors::Origins;
pub(crate) use limits::Limits;
pub(crate) use slots::ConnectionSlot;

pub(in crate::http) use answer::{in_full, of_status};
pub(in crate::http) use cors::Cors;
pub(in crate::http) use limits::{RequestLimit, is_among, site};
pub(in crate::http) use slots::{ConnectionSlots, Full};
