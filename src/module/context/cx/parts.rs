//! What contexts reach.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::brief::Ground;
use super::super::keeping::Keeping;
use super::super::question::Questions;
use super::super::setup::Instruments;
use super::super::switch::Switches;
use super::super::table::ModuleTable;
use super::Cx;
use crate::auth::{Roles, TokenKeys};
use crate::bus::Bus;
use crate::drain::Drain;
use crate::health::Health;
use crate::http::edge::{Limits, Origins};
use crate::live::Live;
use crate::login::identity::Providers;
use crate::peers::Peers;
use crate::records::Records;
use crate::socket::rooms::Rooms;
use crate::timers::Timers;

/// What contexts reach. Only [`Cx`] looks into it.
pub(crate) struct CxParts {
    pub(crate) ground: Arc<Ground>,
    pub(crate) bus: Arc<Bus<Cx>>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) live: Live,
    pub(crate) records: Records,
    pub(crate) timers: Timers,
    pub(crate) keys: TokenKeys,
    pub(crate) roles: Roles,
    pub(crate) limits: Arc<Limits>,
    pub(crate) origins: Origins,
    pub(crate) modules: Modules,
    pub(crate) health: Arc<Health>,
    pub(crate) peers: Peers,
    /// Whether this pod accepts new sockets.
    pub(crate) drain: Drain,
    pub(crate) tasks: TaskTracker,
    /// The turns of each module's work that waits for one.
    pub(crate) turns: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
    pub(crate) stop: CancellationToken,
}

/// [`CxParts`] as a trait object, which is `Send` and `Sync` by its definition. Otherwise the compiler proves that for each future
/// that holds a context, through all pools and connections below: a fifth of the time that it takes for this package.
pub(super) trait HasParts: Send + Sync {
    fn parts(&self) -> &CxParts;
}

impl HasParts for CxParts {
    fn parts(&self) -> &CxParts {
        self
    }
}

/// What the modules have declared for their own use.
pub(crate) struct Modules {
    pub(crate) table: Vec<ModuleTable>,
    pub(crate) questions: Questions,
    pub(crate) providers: Providers,
    pub(crate) instruments: Instruments,
    pub(crate) switches: Switches,
    pub(crate) keeping: Keeping,
}
