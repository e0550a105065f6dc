//! The section `operations`: the second port, for operators.

use std::net::IpAddr;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};

use super::error::SettingsError;
use super::secret::Secret;
use super::values;

/// The port of metrics, probes and the operations page.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationsSettings {
    /// Address to listen on.
    #[serde(deserialize_with = "values::text")]
    pub host: String,
    /// TCP port; 0 lets the system choose a free one.
    pub port: OperationsPort,
    /// The token that requests must send; optional on loopback.
    #[serde(deserialize_with = "values::optional_secret")]
    pub token: Option<Secret>,
    /// Whether `/metrics` is served on the public port, too, without a token.
    #[serde(deserialize_with = "values::switch")]
    pub public_metrics: bool,
}

impl Default for OperationsSettings {
    fn default() -> Self {
        let port = OperationsPort { number: 9091, is_chosen: false };
        Self { host: "127.0.0.1".into(), port, token: None, public_metrics: false }
    }
}

impl OperationsSettings {
    /// Whether only programs on this machine can reach it.
    pub fn is_on_loopback(&self) -> bool {
        let address = self.host.trim_matches(['[', ']']).parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if self.is_on_loopback() || self.token.is_some() {
            return Ok(());
        }
        Err(SettingsError::new(format!(
            "operations.host is {:?}, which other machines may reach, so operations.token must be set \
             (TP_OPERATIONS__TOKEN): the operations port can close games",
            self.host
        )))
    }
}

/// A port, and whether it was set explicitly: the default may be in use by another server on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationsPort {
    /// The number.
    pub number: u16,
    /// Whether it was set explicitly.
    pub is_chosen: bool,
}

impl Serialize for OperationsPort {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(self.number)
    }
}

impl<'de> Deserialize<'de> for OperationsPort {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        values::port(from).map(|number| Self { number, is_chosen: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_other_machines_reach_needs_a_token() {
        let at =
            |host: &str| OperationsSettings { host: host.into(), ..OperationsSettings::default() };
        for host in ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost"] {
            assert!(at(host).check().is_ok(), "{host}");
        }
        for host in ["0.0.0.0", "::", "10.0.0.1", "operations.example.org"] {
            assert!(
                at(host).check().unwrap_err().to_string().contains("operations.token"),
                "{host}"
            );
            assert!(OperationsSettings { token: Some("t".into()), ..at(host) }.check().is_ok());
        }
    }
}
