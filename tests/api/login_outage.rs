//! Providers that do not answer, or not as they should: the player is told in time, and nothing breaks.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::browser::{Browser, arrives, fails, login};
use crate::openid::{Provider, SECRET};
use crate::server::Server;
use crate::site::Answer;

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A provider has five seconds to answer, and the machine may be busy.
const IN_TIME: Duration = Duration::from_secs(10);

/// A browser that is more patient than the server.
fn ada(server: &Server, provider: &Provider) -> Browser {
    let mut ada = Browser::of(server, provider, "77:Ada");
    ada.race.patience = 2 * IN_TIME;
    ada
}

/// Begins at `school`, of which nothing is known yet, or finishes at `google`.
async fn meets(provider: &Provider, server: &Server, path: &str) -> Answer {
    let mut ada = ada(server, provider);
    match path {
        DISCOVERY => ada.opens(&login("school")).await,
        _ => ada.tries("google").await,
    }
}

/// Answers in place of those that are wanted.
fn faults() -> Vec<Value> {
    vec![
        json!({"status": 500}),
        json!({"status": 503, "body": "<p>be right back"}),
        json!({"status": 429, "body": {"error": "slow_down"}}),
        json!({"status": 302, "body": {}}),
        json!({"body": "<!DOCTYPE html><p>hello"}),
        json!({"body": ""}),
        json!({"body": {}}),
        json!({"body": []}),
        json!({"body": "x".repeat(300_000)}),
    ]
}

#[tokio::test]
async fn an_answer_that_is_none_makes_the_provider_unavailable() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for path in [DISCOVERY, "/token", "/jwks"] {
        for mut fault in faults() {
            fault["path"] = json!(path);
            provider.told("fault", fault.clone()).await;
            let answer = meets(&provider, &server, path).await;
            let shown = fault.to_string().chars().take(100).collect::<String>();
            assert!(
                answer.header("location").ends_with("provider_unavailable"),
                "{shown}: {answer:?}"
            );
            fails(&answer, "provider_unavailable");
        }
        provider.untold("fault").await;
        // It is not held against the provider.
        arrives(&ada(&server, &provider).tries("school").await);
    }
    arrives(&ada(&server, &provider).tries("google").await);
}

#[tokio::test]
async fn a_document_or_keys_that_are_not_where_they_should_be_are_the_providers_fault() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for path in [DISCOVERY, "/jwks"] {
        for status in [400, 401, 404] {
            provider.told("fault", json!({"path": path, "status": status})).await;
            fails(&meets(&provider, &server, path).await, "provider_unavailable");
        }
    }
}

#[tokio::test]
async fn a_document_of_another_issuer_is_not_believed() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut document = provider.site.get(DISCOVERY, crate::site::ANONYMOUS).await.body;
    for issuer in ["https://evil.example".to_owned(), format!("{}/", provider.issuer)] {
        document["issuer"] = json!(issuer);
        provider.told("fault", json!({"path": DISCOVERY, "body": document})).await;
        fails(&meets(&provider, &server, DISCOVERY).await, "provider_unavailable");
    }
}

#[tokio::test]
async fn a_browser_that_waits_for_a_slow_provider_is_told_in_time() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for path in [DISCOVERY, "/token", "/jwks"] {
        provider.told("fault", json!({"path": path, "delay_ms": 60_000})).await;
    }
    let waiting = async |path: &str| {
        let begun = Instant::now();
        let answer = meets(&provider, &server, path).await;
        (answer, begun.elapsed())
    };
    // Several wait at once; none waits for another one's turn.
    let begun = Instant::now();
    let at_token = join_all(["/token"; 3].map(waiting));
    let at_discovery = join_all([DISCOVERY; 3].map(waiting));
    let (at_token, at_discovery) = tokio::join!(at_token, at_discovery);
    for (answer, time) in at_token.into_iter().chain(at_discovery) {
        fails(&answer, "provider_unavailable");
        assert!(time < IN_TIME, "{time:?}");
    }
    assert!(begun.elapsed() >= Duration::from_secs(4), "a slow provider gets its time");
}

#[tokio::test]
async fn a_browser_that_waits_for_slow_keys_is_told_in_time() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    provider.told("fault", json!({"path": "/jwks", "delay_ms": 60_000})).await;
    let begun = Instant::now();
    let answers = join_all((0..3).map(|_| meets(&provider, &server, "/jwks"))).await;
    answers.iter().for_each(|answer| fails(answer, "provider_unavailable"));
    assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_provider_that_is_gone_is_unavailable() {
    let Some(mut provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = ada(&server, &provider);
    let back = ada.returns_from("google").await;
    provider.dies();
    let begun = Instant::now();
    fails(&ada.opens(&back).await, "provider_unavailable");
    fails(&ada.opens(&login("school")).await, "provider_unavailable");
    // Where the addresses are known, the browser is sent there all the same.
    assert_eq!(ada.opens(&login("google")).await.status, 307);
    assert!(begun.elapsed() < IN_TIME);
    assert!(!server.log().contains(SECRET));
}

#[tokio::test]
async fn a_browser_that_gives_up_waiting_leaves_the_provider_to_the_others() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    provider.told("fault", json!({"path": DISCOVERY, "delay_ms": 60_000, "times": 1})).await;
    let mut impatient = ada(&server, &provider);
    let begins = login("school");
    tokio::select! {
        _ = impatient.opens(&begins) => panic!("an answer of a provider that is slow"),
        () = provider.is_asked(DISCOVERY) => {}
    }
    drop(impatient);
    let begun = Instant::now();
    arrives(&ada(&server, &provider).tries("school").await);
    assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
}
