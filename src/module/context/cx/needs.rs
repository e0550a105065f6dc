//! What a context reaches only if its module has declared that it needs it, and what of that needs no declaration.

use serde::Serialize;

use super::super::rows::Need;
use super::Cx;
use crate::Error;
use crate::auth::{Bearer, TokenKeys};
use crate::login::identity::Providers;
use crate::records::Records;

impl Cx {
    /// The records: accounts, logins and results.
    ///
    /// # Panics
    /// If the module has not declared [`Need::Records`].
    pub fn records(&self) -> &Records {
        self.has_declared(Need::Records);
        self.all_records()
    }

    pub(crate) fn all_records(&self) -> &Records {
        &self.parts().records
    }

    /// The keys that tokens are signed with.
    ///
    /// # Panics
    /// If the module has not declared [`Need::Keys`].
    pub fn keys(&self) -> &TokenKeys {
        self.has_declared(Need::Keys);
        self.all_keys()
    }

    pub(crate) fn all_keys(&self) -> &TokenKeys {
        &self.parts().keys
    }

    /// The user of an access token, and its login.
    ///
    /// # Errors
    /// `TOKEN_NOT_PROVIDED`, `INVALID_TOKEN` or `TOKEN_EXPIRED`.
    pub fn bearer(&self, token: Option<&str>) -> Result<Bearer, Error> {
        self.parts().keys.access(token, self.now())
    }

    /// The same for a token that may have expired; `None` if it was never valid.
    pub fn former_bearer(&self, token: Option<&str>) -> Option<Bearer> {
        self.parts().keys.ever_access(token, self.now())
    }

    /// A text that cannot be guessed without the server's key; the same each time for the same `name`.
    pub fn secret_of(&self, name: &str) -> String {
        self.parts().keys.secret_of(name)
    }

    /// Signs what the server asserts, for anyone with its public key: see [`TokenKeys::attest`].
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if signing fails.
    pub async fn attest(
        &self,
        name: &'static str,
        claims: &impl Serialize,
    ) -> Result<String, Error> {
        self.parts().keys.attest(name, claims).await
    }

    /// The public part of the key that signs, in PEM.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if it cannot be encoded.
    pub fn public_key(&self) -> Result<String, Error> {
        self.parts().keys.public_pem()
    }

    /// The identity providers.
    ///
    /// # Panics
    /// If the module has not declared [`Need::Providers`].
    pub fn providers(&self) -> &Providers {
        self.has_declared(Need::Providers);
        &self.parts().modules.providers
    }

    /// The runtime's own contexts are of no module, and need no declaration.
    fn has_declared(&self, need: Need) {
        let row = self.table().iter().find(|row| row.name == self.module);
        let is_declared = row.is_none_or(|row| row.needs.contains(&need));
        assert!(is_declared, "the module {} does not declare that it needs {need}", self.module);
    }
}
