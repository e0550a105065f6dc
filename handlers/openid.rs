//! Login by any OpenID provider that the settings name, in the section `handlers.openid`:
//!
//! ```yaml
//! handlers:
//!   openid:
//!     school:                      # lowercase letters and digits: /api/v1/auth/school/login
//!       title: Our school
//!       issuer: https://id.school.example
//!       client_id: typephoon
//!       client_secret: …
//!       redirect_url: https://race.school.example/api/v1/auth/school/login-redirect
//! ```
//!
//! The provider's endpoints are read from `<issuer>/.well-known/openid-configuration` at the first login.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::login::{Endpoints, OpenId, OpenIdClient, Provider};
use crate::module::{Module, Setup, Wiring};
use crate::settings::{Secret, plain_text};

inventory::submit! { Module { name: "openid", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.providers("those of handlers.openid", providers);
}

/// One provider in the settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: Option<String>,
    issuer: String,
    #[serde(deserialize_with = "plain_text")]
    client_id: String,
    /// Empty: none.
    #[serde(default, deserialize_with = "plain_text")]
    client_secret: String,
    redirect_url: String,
}

fn providers(setup: &Setup<'_>) -> Result<Vec<Provider>, String> {
    let sections: BTreeMap<String, Section> = setup.section()?;
    sections.into_iter().map(|(name, section)| provider(name, section)).collect()
}

fn provider(name: String, section: Section) -> Result<Provider, String> {
    let Section { title, issuer, client_id, client_secret, redirect_url } = section;
    let client = OpenIdClient {
        id: client_id,
        secret: Some(client_secret).filter(|it| !it.is_empty()).map(Secret::from),
        redirect_url,
        issuers: vec![issuer],
        endpoints: Endpoints::Discovered,
        parameters: Vec::new(),
    };
    let title = title.unwrap_or_else(|| name.clone());
    Ok(Provider { name, title, identity: Some(Arc::new(OpenId::new(client)?)) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::Settings;

    fn of(section: serde_json::Value) -> Result<Vec<Provider>, String> {
        let mut settings = Settings::default();
        settings.handlers.sections.insert("openid".into(), section);
        providers(&Setup::of(&settings, "openid"))
    }

    #[test]
    fn every_provider_of_the_section_is_one() {
        let school = json!({
            "issuer": "https://id.example", "client_id": "a", "redirect_url": "https://race.example/"
        });
        let found = of(json!({"school": school})).unwrap();
        assert_eq!((found.len(), found[0].title.as_str()), (1, "school"));
        assert!(of(json!({})).unwrap().is_empty());
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        for (section, complaint) in [
            (
                json!({"school": {"issuer": "https://id.example"}}),
                "handlers.openid.school: missing field",
            ),
            (json!({"school": {"isuer": "x"}}), "handlers.openid.school.isuer: unknown field"),
        ] {
            let told = of(section).map(drop).unwrap_err();
            assert!(told.contains(complaint), "{told}");
        }
    }
}
