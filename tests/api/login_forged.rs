//! Id tokens that cannot be believed, and the keys they are checked by.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::browser::{Browser, arrives, fails};
use crate::openid::{BOTH, CLIENT, Provider, RACE};
use crate::server::{Server, eventually};
use crate::signing;

/// Tampers with the id tokens of an account, logs in with it, and does not get in.
async fn is_never_believed(plans: Vec<Value>) {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for plan in plans {
        provider.told("tamper", plan.clone()).await;
        for way in BOTH {
            let mut mallory = Browser::of(&server, &provider, "66:Mallory");
            let answer = mallory.tries(way).await;
            assert_ne!(answer.header("location"), RACE, "{plan} was believed");
            fails(&answer, "invalid_identity");
        }
    }
    provider.untold("tamper").await;
    for way in BOTH {
        arrives(&Browser::of(&server, &provider, "66:Mallory").tries(way).await);
    }
}

fn claims(claims: Value) -> Value {
    json!({ "claims": claims })
}

#[tokio::test]
async fn an_id_token_for_another_client_is_not_believed() {
    is_never_believed(vec![
        claims(json!({"aud": "another-client"})),
        claims(json!({"aud": ["another-client"]})),
        claims(json!({"aud": []})),
        claims(json!({"aud": null})),
        claims(json!({"azp": "another-client"})),
        claims(json!({"aud": [CLIENT, "another-client"], "azp": "another-client"})),
        claims(json!({"aud": [CLIENT, "another-client"]})),
    ])
    .await;
}

#[tokio::test]
async fn an_id_token_of_another_issuer_or_login_is_not_believed() {
    is_never_believed(vec![
        claims(json!({"iss": "https://evil.example"})),
        claims(json!({"iss": null})),
        claims(json!({"nonce": "another"})),
        claims(json!({"nonce": null})),
        claims(json!({"nonce": ""})),
    ])
    .await;
}

#[tokio::test]
async fn an_id_token_of_another_time_is_not_believed() {
    let now = signing::now();
    is_never_believed(vec![
        claims(json!({"exp": 1})),
        claims(json!({"exp": now - 120})),
        claims(json!({"exp": null})),
        claims(json!({"exp": "tomorrow"})),
        claims(json!({"nbf": now + 120})),
    ])
    .await;
}

#[tokio::test]
async fn an_id_token_without_a_valid_subject_is_not_believed() {
    is_never_believed(vec![
        claims(json!({"sub": null})),
        claims(json!({"sub": ""})),
        claims(json!({"sub": 66})),
        claims(json!({"sub": "a\nb"})),
        claims(json!({"sub": "x".repeat(256)})),
    ])
    .await;
}

#[tokio::test]
async fn an_id_token_that_the_provider_has_not_signed_is_not_believed() {
    is_never_believed(vec![
        json!({"sign": "unknown-key"}),
        json!({"sign": "unknown-key", "header": {"kid": null}}),
        json!({"sign": "unknown-key", "header": {"kid": "nobody"}}),
        json!({"sign": "none"}),
        json!({"sign": "hs256"}),
        json!({"sign": "hs256-public-key"}),
        json!({"header": {"alg": "RS512"}}),
        json!({"header": {"alg": "rot13"}}),
    ])
    .await;
}

#[tokio::test]
async fn what_is_no_id_token_at_all_is_not_believed() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for garbage in ["", "..", "a.b.c", "é", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "eyJhbGciOiJSUzI1NiJ9"]
    {
        provider.told("fault", json!({"path": "/token", "body": {"id_token": garbage}})).await;
        let mut mallory = Browser::of(&server, &provider, "66:Mallory");
        fails(&mallory.tries("google").await, "invalid_identity");
    }
}

#[tokio::test]
async fn an_id_token_that_is_for_others_too_is_believed_if_it_was_issued_to_us() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let shared = json!({"aud": ["another-client", CLIENT], "azp": CLIENT});
    for plan in [claims(shared), json!({"header": {"kid": null}})] {
        provider.told("tamper", plan).await;
        arrives(&Browser::of(&server, &provider, "77:Ada").tries("google").await);
    }
}

#[tokio::test]
async fn a_player_without_a_name_has_another_one() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let nameless = json!({"name": null, "preferred_username": null});
    // Google is not asked for more; the school is, and says it.
    for (way, sub, plan, name) in [
        ("google", "1", json!({"name": null}), "adal"),
        ("google", "2", nameless.clone(), "Player"),
        ("google", "1", nameless.clone(), "adal"),
        ("school", "3", nameless, "Ada L"),
    ] {
        provider.told("tamper", claims(plan)).await;
        let mut ada = Browser::of(&server, &provider, &format!("{sub}:Ada%20L"));
        ada.logs_in(way).await;
        assert_eq!(ada.shown_name(), name);
    }
}

#[tokio::test]
async fn the_keys_are_fetched_once_for_many_logins() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with().embedded()).start().await;
    let crowd = (0..8).map(|number| Browser::of(&server, &provider, &number.to_string()));
    join_all(crowd.map(async |mut player| player.logs_in("school").await)).await;
    Browser::of(&server, &provider, "77").logs_in("school").await;
    for path in ["/jwks", "/.well-known/openid-configuration"] {
        assert_eq!(provider.requests(path).await, 1, "{path}");
    }
}

#[tokio::test]
async fn a_login_succeeds_after_the_provider_has_changed_its_keys() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for way in BOTH {
        let mut ada = Browser::of(&server, &provider, "77:Ada");
        ada.logs_in(way).await;
        provider.told("rotate-keys", json!({})).await;
        // Keys that have just been fetched are not fetched again at once.
        eventually("the new keys are known", async || {
            let answer = ada.tries(way).await;
            (answer.header("location") == RACE).then_some(())
        })
        .await;
    }
    assert_eq!(provider.requests("/jwks").await, 4);
}

#[tokio::test]
async fn tokens_of_unknown_keys_do_not_make_the_server_ask_for_keys_all_the_time() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with().embedded()).start().await;
    provider.told("tamper", json!({"header": {"kid": "nobody"}})).await;
    for _ in 0..10 {
        let mut mallory = Browser::of(&server, &provider, "66");
        fails(&mallory.tries("google").await, "invalid_identity");
    }
    assert!(provider.requests("/jwks").await <= 2);
}

#[tokio::test]
async fn keys_of_an_unknown_kind_do_not_hide_the_others() {
    let Some(provider) = Provider::start().await else { return };
    let mut jwks = provider.site.get("/jwks", crate::site::ANONYMOUS).await.body;
    let keys = jwks["keys"].as_array_mut().expect("a list of keys");
    keys.insert(0, json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "later", "pub": "AAAA"}));
    keys.insert(1, json!({"kty": "EC", "crv": "P-999", "kid": "odd", "x": "AA", "y": "AA"}));
    keys.insert(2, json!({"kty": "RSA", "use": "enc", "kid": "enc", "n": "AQAB", "e": "AQAB"}));
    provider.told("fault", json!({"path": "/jwks", "body": jwks})).await;
    let server = provider.behind(Server::with()).start().await;
    arrives(&Browser::of(&server, &provider, "77:Ada").tries("google").await);
}
