//! What the log says of logins: why they fail, and no secret.

use std::collections::BTreeSet;

use serde_json::json;

use crate::browser::{Browser, fails, parameter};
use crate::openid::{BOTH, Provider, SECRET};
use crate::server::{Server, eventually};

/// A login in each way, and what of it is secret: also what the browser was given before it failed.
async fn secrets_of(server: &Server, provider: &Provider, account: &str) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for way in BOTH {
        let mut player = Browser::of(server, provider, account);
        let at_provider = player.begins(way).await;
        for name in ["state", "nonce", "code_challenge"] {
            secrets.insert(parameter(&at_provider, name));
        }
        let back = player.agrees(&at_provider).await;
        if back.contains("code=") {
            secrets.insert(parameter(&back, "code"));
        }
        let answer = player.opens(&back).await;
        let tokens = ["TP_AT", "TP_RT"].into_iter().filter_map(|name| player.cookie(name));
        secrets.extend(tokens.map(str::to_owned));
        assert!(answer.status == 307, "{answer:?}");
        // Once more, with all of it in the address.
        player.opens(&back).await;
    }
    secrets
}

#[tokio::test]
async fn the_log_tells_no_secrets() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).log_level("debug").start().await;
    let tampering = json!({"sub": "66", "claims": {"nonce": "another"}});
    provider.told("tamper", tampering).await;
    let mut secrets = BTreeSet::from([SECRET.to_owned(), "code_verifier".into()]);
    // What a JSON Web Token begins with.
    secrets.insert("eyJ".into());
    for account in ["77:Ada", "66:Mallory", "deny"] {
        secrets.extend(secrets_of(&server, &provider, account).await);
    }
    provider.told("fault", json!({"path": "/token", "body": "<p>code_verifier"})).await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    fails(&ada.tries("google").await, "provider_unavailable");

    let log = eventually("the log says why the last login failed", async || {
        let log = server.log();
        log.contains("provider_unavailable").then_some(log)
    })
    .await;
    for reason in ["invalid_identity", "unknown_state", "access_denied"] {
        assert!(log.contains(reason), "{reason} is said: {log}");
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} in the log: {log}");
    }
    // Verifiers and id tokens are never seen here, but they are long words.
    let mut words = log.split(|it: char| !it.is_ascii_alphanumeric());
    assert_eq!(words.find(|word| word.len() >= 32), None, "{log}");
}
