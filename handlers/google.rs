//! Login with Google, by OpenID Connect as Google documents it. The setting `google` may point to
//! another OpenID provider instead.

use std::sync::Arc;

use crate::login::{Endpoints, OpenId, OpenIdClient, Provider};
use crate::module::{Module, Setup, Wiring};

inventory::submit! { Module { name: "google", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.providers("google", google);
}

fn google(setup: &Setup<'_>) -> Result<Vec<Provider>, String> {
    let google = &setup.settings.google;
    let mut provider = Provider { name: "google".into(), title: "Google".into(), identity: None };
    if let Some(id) = &google.client_id {
        // Google's own tokens may have it without the scheme.
        let bare = google.issuer.strip_prefix("https://").unwrap_or(&google.issuer);
        let client = OpenIdClient {
            id: id.clone(),
            secret: google.client_secret.clone(),
            redirect_url: google.redirect_url.clone(),
            issuers: vec![google.issuer.clone(), bare.to_owned()],
            endpoints: Endpoints::Given {
                authorize: google.authorize_url.clone(),
                token: google.token_url.clone(),
                jwks: google.jwks_url.clone(),
            },
            parameters: vec![("prompt", "select_account".to_owned())],
        };
        provider.identity = Some(Arc::new(OpenId::new(client)?));
    }
    Ok(vec![provider])
}
