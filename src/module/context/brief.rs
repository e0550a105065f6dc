//! The small context of functions that run in a socket's own task, and must not wait: frame handlers and views.

use std::sync::{Arc, OnceLock};

use super::setup::MadeStates;
use crate::game::Timestamp;
use crate::settings::Settings;

/// What does not change while the server runs.
pub(crate) struct Ground {
    pub(crate) settings: Settings,
    pub(crate) states: MadeStates,
}

/// The ground, from the time at which the modules are set up. Views are declared before.
pub(crate) type LaterGround = Arc<OnceLock<Arc<Ground>>>;

/// What a frame handler or a view reaches: the settings, its module's state, and the clock.
#[derive(Clone, Copy)]
pub struct Brief<'a> {
    module: &'static str,
    ground: &'a Ground,
}

impl<'a> Brief<'a> {
    pub(in crate::module) fn of(module: &'static str, ground: &'a Ground) -> Self {
        Self { module, ground }
    }

    /// The settings in effect.
    pub fn settings(&self) -> &'a Settings {
        &self.ground.settings
    }

    /// The module's own state, as [`Cx::state`](super::Cx::state).
    ///
    /// # Panics
    /// If the module has declared none of this type.
    pub fn state<S: Send + Sync + 'static>(&self) -> &'a S {
        let state = super::setup::find::<S>(&self.ground.states, self.module);
        state.expect("the module declares this state")
    }

    /// The time, as facts and records state it.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
