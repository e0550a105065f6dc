//! The identity providers that modules declare. A provider fails while its module is switched off.

use std::sync::Arc;

use async_trait::async_trait;

use super::context::{Setup, Switch};
use crate::bus::Owner;
use crate::login::identity::{
    Attempt, IdentityProvider, LoginFailure, Person, Provider, Providers,
};
use crate::settings::Settings;

/// The declared providers, until the settings are available to set them up.
#[derive(Default)]
pub(crate) struct ProviderDeclarations(Vec<(Arc<Switch>, Configure)>);

type Configure = fn(&Setup<'_>) -> Result<Vec<Provider>, String>;

impl ProviderDeclarations {
    pub(super) fn push(&mut self, declared: (Arc<Switch>, Configure)) {
        self.0.push(declared);
    }

    pub(crate) fn configure(self, settings: &Settings) -> Result<Providers, String> {
        let mut providers = Providers::default();
        for (switch, configure) in self.0 {
            for mut provider in configure(&Setup::of(settings, switch.module()))? {
                let switched = |of| Arc::new(Switched { of, switch: switch.clone() }) as _;
                provider.identity = provider.identity.map(switched);
                providers.add(provider)?;
            }
        }
        Ok(providers)
    }
}

/// A provider behind the switch of its module.
struct Switched {
    of: Arc<dyn IdentityProvider>,
    switch: Arc<Switch>,
}

impl Switched {
    fn get(&self) -> Result<&dyn IdentityProvider, LoginFailure> {
        self.switch.takes("login").then_some(&*self.of).ok_or(LoginFailure::ProviderUnavailable)
    }
}

#[async_trait]
impl IdentityProvider for Switched {
    async fn authorize(&self, attempt: &Attempt) -> Result<String, LoginFailure> {
        self.get()?.authorize(attempt).await
    }

    async fn identify(&self, code: &str, attempt: &Attempt) -> Result<Person, LoginFailure> {
        self.get()?.identify(code, attempt).await
    }
}
