//! Logins that must not succeed, and how the player gets to know.

use serde_json::json;

use crate::browser::{Browser, arrives, fails, login, parameter, with_parameter};
use crate::openid::{BOTH, Provider, RACE, client};
use crate::server::Server;
use crate::site::ANONYMOUS;

#[tokio::test]
async fn a_user_who_declines_is_told_so_and_may_try_again() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for way in BOTH {
        let mut ada = Browser::of(&server, &provider, "deny");
        fails(&ada.tries(way).await, "access_denied");
        ada.becomes("77:Ada");
        arrives(&ada.tries(way).await);
    }
}

#[tokio::test]
async fn any_other_error_of_the_provider_is_one() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    // The provider wants PKCE.
    let at_provider = with_parameter(&ada.begins("google").await, "code_challenge", None);
    let back = ada.agrees(&at_provider).await;
    assert_eq!(parameter(&back, "error"), "invalid_request");
    fails(&ada.opens(&back).await, "provider_error");

    let back = format!("{RACE}/api/v1/auth/google/login-redirect");
    for query in ["error=server_error", "error=&state=x", "error=%00%0d%0aset-cookie:x&state=%ff"] {
        fails(&ada.opens(&format!("{back}?{query}")).await, "provider_error");
    }
    fails(&ada.opens(&format!("{back}?error=access_denied")).await, "access_denied");
}

#[tokio::test]
async fn a_login_is_finished_once() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for way in BOTH {
        let mut ada = Browser::of(&server, &provider, "77:Ada");
        // As the cookie would be if the browser had not yet heard that it is over.
        let back = ada.returns_from(way).await;
        let mut copy = ada.clone();
        arrives(&ada.opens(&back).await);
        fails(&ada.opens(&back).await, "unknown_state");
        fails(&copy.opens(&back).await, "unknown_state");

        // A fresh code does not make an old state good.
        let other = copy.returns_from(way).await;
        let state = parameter(&back, "state");
        fails(&copy.opens(&with_parameter(&other, "state", Some(&state))).await, "unknown_state");
        assert_eq!(copy.cookie("TP_AT"), None);
    }
}

#[tokio::test]
async fn of_two_who_finish_the_same_login_at_once_one_gets_in() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    let back = ada.returns_from("google").await;
    let mut copy = ada.clone();
    let (one, other) = tokio::join!(ada.opens(&back), copy.opens(&back));
    let (late, early) = if one.header("location") == RACE { (other, one) } else { (one, other) };
    arrives(&early);
    fails(&late, "unknown_state");
}

#[tokio::test]
async fn a_state_that_was_never_given_out_is_unknown() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    let back = ada.returns_from("google").await;
    for state in ["0".repeat(64), "é".into(), "%00".into(), "x".repeat(5000), "login:1".into()] {
        fails(&ada.opens(&with_parameter(&back, "state", Some(&state))).await, "unknown_state");
    }
    // None of them has ended the login that is under way.
    arrives(&ada.opens(&back).await);
}

#[tokio::test]
async fn a_login_is_finished_in_the_browser_that_began_it() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut mallory = Browser::of(&server, &provider, "66:Mallory");
    // One who has no login under way, and one who has another.
    let bystander = Browser::of(&server, &provider, "77:Ada");
    let mut busy = bystander.clone();
    busy.begins("google").await;
    for mut victim in [bystander, busy] {
        let back = mallory.returns_from("google").await;
        fails(&victim.opens(&back).await, "other_browser");
        assert_eq!(victim.cookie("TP_AT"), None);
        fails(&mallory.opens(&back).await, "unknown_state");
    }
}

#[tokio::test]
async fn a_login_is_finished_with_the_provider_it_began_with() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for (begun, finished) in [("google", "school"), ("school", "google")] {
        let mut ada = Browser::of(&server, &provider, "77:Ada");
        let back = ada.returns_from(begun).await;
        fails(&ada.opens(&back.replace(begun, finished)).await, "unknown_state");
    }
}

#[tokio::test]
async fn the_code_of_another_login_is_refused() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    let mut mallory = Browser::of(&server, &provider, "66:Mallory");
    let (hers, stolen) = (mallory.returns_from("google").await, ada.returns_from("google").await);
    let stolen = with_parameter(&hers, "code", Some(&parameter(&stolen, "code")));
    fails(&mallory.opens(&stolen).await, "code_refused");
}

#[tokio::test]
async fn a_code_that_is_too_old_or_garbage_is_refused() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    for way in BOTH {
        let back = ada.returns_from(way).await;
        provider.told("expire-codes", json!({})).await;
        fails(&ada.opens(&back).await, "code_refused");
        let back = ada.returns_from(way).await;
        fails(&ada.opens(&with_parameter(&back, "code", Some("%&é"))).await, "code_refused");
        arrives(&ada.tries(way).await);
    }
}

#[tokio::test]
async fn a_wrong_client_secret_is_refused() {
    let Some(provider) = Provider::start().await else { return };
    for (way, auth) in BOTH.into_iter().zip(["client_secret_post", "client_secret_basic"]) {
        provider.knows(client("changed", Some("another-secret"), auth)).await;
        let settings = provider.behind(Server::with()).set("google.client_id", "changed");
        let server = settings.set("handlers.openid.school.client_id", "changed").start().await;
        let mut ada = Browser::of(&server, &provider, "77:Ada");
        fails(&ada.tries(way).await, "code_refused");
    }
}

#[tokio::test]
async fn a_way_that_is_not_set_up_leads_to_the_error_page() {
    let server = Server::with().set("error_redirect", format!("{RACE}/error")).start().await;
    for path in ["login", "login-redirect?state=a&code=b"] {
        let answer = server.get(&format!("/api/v1/auth/google/{path}"), ANONYMOUS).await;
        fails(&answer, "not_configured");
    }
}

#[tokio::test]
async fn what_is_no_provider_or_no_return_is_refused() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for path in [
        "facebook/login",
        "Google/login",
        "%00/login",
        "facebook/login-redirect?state=a&code=b",
        "google/login-redirect",
        "google/login-redirect?code=b",
        "google/login-redirect?state=a",
        "google/login-redirect?state=&code=b",
    ] {
        let answer = server.get(&format!("/api/v1/auth/{path}"), ANONYMOUS).await;
        answer.refused(422, "VALIDATION_ERROR");
        assert!(answer.cookies().is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn an_error_page_with_a_query_of_its_own_keeps_it() {
    let page = format!("{RACE}/error?lang=de");
    let server = Server::with().set("error_redirect", &page).start().await;
    let answer = server.get("/api/v1/auth/google/login", ANONYMOUS).await;
    assert_eq!(answer.header("location"), format!("{page}&reason=not_configured"));
}

#[tokio::test]
async fn a_browser_that_begins_too_many_logins_is_told_on_the_error_page() {
    let Some(provider) = Provider::start().await else { return };
    let settings = provider.behind(Server::with().embedded()).set("limits.logins_per_minute", 3);
    let server = settings.start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    for _ in 0..3 {
        arrives(&ada.tries("google").await);
    }
    fails(&ada.opens(&login("google")).await, "too_many_requests");
}
