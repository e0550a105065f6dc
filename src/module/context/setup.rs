//! What modules set up at the start: their states, from the settings, and their instruments.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::settings::Settings;
use crate::telemetry::ModuleInstrument;

/// What a module can use while its state is made.
pub struct Setup<'a> {
    /// The settings in effect.
    pub settings: &'a Settings,
    module: &'static str,
}

impl<'a> Setup<'a> {
    /// The setup of a module.
    pub fn of(settings: &'a Settings, module: &'static str) -> Self {
        Self { settings, module }
    }

    /// The module's own section of the settings, `handlers.<name>`; its defaults if it is absent.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub fn section<S: DeserializeOwned + Default>(&self) -> Result<S, String> {
        let Some(section) = self.settings.handlers.sections.get(self.module) else {
            return Ok(S::default());
        };
        serde_path_to_error::deserialize(section).map_err(|error| {
            format!("setting handlers.{}.{}: {}", self.module, error.path(), error.inner())
        })
    }

    /// Where the server keeps its files.
    pub fn data_dir(&self) -> &Path {
        &self.settings.data_dir
    }
}

/// The instruments of modules, by module and name.
pub(crate) type Instruments = HashMap<(&'static str, &'static str), ModuleInstrument>;

type State = Arc<dyn Any + Send + Sync>;
/// The states of modules, by module and type.
pub(crate) type MadeStates = HashMap<(&'static str, TypeId), State>;
type Made = ((&'static str, TypeId), State);
type Make = Box<dyn FnOnce(&Settings) -> Result<Made, String> + Send>;

/// The state of a module of this type.
pub(super) fn find<'a, S: Send + Sync + 'static>(
    states: &'a MadeStates,
    module: &'static str,
) -> Option<&'a S> {
    states.get(&(module, TypeId::of::<S>()))?.downcast_ref()
}

/// The functions that make the states of modules, until the settings are loaded.
#[derive(Default)]
pub(crate) struct States(Vec<Make>);

impl States {
    pub(in crate::module) fn declare<S: Send + Sync + 'static>(
        &mut self,
        module: &'static str,
        make: fn(&Setup<'_>) -> Result<S, String>,
    ) {
        self.0.push(Box::new(move |settings| {
            let state = make(&Setup { settings, module })?;
            Ok(((module, TypeId::of::<S>()), Arc::new(state) as _))
        }));
    }

    pub(crate) fn make(self, settings: &Settings) -> Result<MadeStates, String> {
        self.0.into_iter().map(|make| make(settings)).collect()
    }
}
