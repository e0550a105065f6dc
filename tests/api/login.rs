//! Logging in at an identity provider, and what one has from it.

use futures_util::future::join_all;
use serde_json::json;

use crate::browser::{Browser, arrives, login, parameter};
use crate::database::on_both;
use crate::openid::{BOTH, CLIENT, Provider, RACE, client};
use crate::persona::Player;
use crate::server::Server;
use crate::signing;

/// Everything of a cookie but its name and value.
fn kept_at(path: &str) -> Vec<String> {
    ["httponly", "max-age=2592000", &format!("path={path}"), "samesite=lax", "secure"]
        .map(str::to_owned)
        .into()
}

#[tokio::test]
async fn a_login_ends_at_the_frontend_with_three_cookies() {
    let Some(provider) = Provider::start().await else { return };
    on_both(async |database| {
        let server = provider.behind(database.settings()).start().await;
        for way in BOTH {
            let mut ada = Browser::of(&server, &provider, "77:Ada%20L");
            let answer = ada.logs_in(way).await;
            assert_eq!((answer.status, answer.text.as_str()), (307, ""));
            assert_eq!(answer.header("cache-control"), "no-store");

            let refresh = "/api/v1/auth/token-refresh";
            for (name, path) in [("TP_AT", "/"), ("TP_RT", refresh), ("USERNAME", "/")] {
                assert_eq!(answer.cookie(name).attributes, kept_at(path), "{name}");
            }
            assert_eq!(answer.cookie("USERNAME").value, "Ada%20L");
            let others = answer.cookies();
            let others = others.iter().filter(|it| it.name.starts_with("TP_LOGIN_"));
            assert_eq!(others.map(|it| it.deletes("/api/v1/auth")).count(), 1);
            assert_eq!(answer.cookies().len(), 4);
            assert_eq!(ada.is_known_as().await, (format!("{way}-77"), "Ada L".to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn the_tokens_have_the_claims_of_the_contract_and_no_others() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada%20L");
    ada.logs_in("google").await;

    for (cookie, life) in [("TP_AT", 900), ("TP_RT", 2_592_000)] {
        let token = ada.cookie(cookie).expect("a cookie");
        let claims = signing::read(token);
        let issued = claims["iat"].as_i64().expect("a time");
        assert!((signing::now() - issued).abs() <= 5, "{claims}");
        let wanted = json!({
            "sub": "google-77", "name": "Ada L", "user_type": "REGISTERED",
            "exp": issued + life, "nbf": issued - 1, "iat": issued,
        });
        assert_eq!(claims, wanted, "{cookie}");
        assert_eq!(signing::header(token).alg, jsonwebtoken::Algorithm::RS256);
    }
}

#[tokio::test]
async fn the_provider_is_told_what_is_wanted_and_where_to_send_the_browser_back() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77");
    for way in BOTH {
        let [address, other] = [ada.begins(way).await, ada.begins(way).await];
        assert!(address.starts_with(&format!("{}/auth?response_type=code&", provider.issuer)));
        assert!(address.contains("&scope=openid+email+profile&"), "{address}");
        assert_eq!(parameter(&address, "client_id"), CLIENT);
        let back = format!("{RACE}/api/v1/auth/{way}/login-redirect");
        assert_eq!(parameter(&address, "redirect_uri"), back);
        assert_eq!(parameter(&address, "code_challenge_method"), "S256");
        // A SHA-256 digest in base64url.
        assert_eq!(parameter(&address, "code_challenge").len(), 43);
        assert_eq!(address.ends_with("&prompt=select_account"), way == "google", "{address}");

        let state = parameter(&address, "state");
        assert!(state.len() == 64 && state.chars().all(|it| it.is_ascii_hexdigit()), "{state}");
        for name in ["state", "nonce", "code_challenge"] {
            assert_ne!(parameter(&address, name), parameter(&other, name), "new each time: {name}");
        }
    }
}

#[tokio::test]
async fn the_cookie_of_a_login_that_begins_is_this_browsers_and_lasts_ten_minutes() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77");
    let answer = ada.opens(&login("google")).await;
    assert_eq!((answer.status, answer.text.as_str()), (307, ""));
    assert_eq!(answer.header("cache-control"), "no-store");
    let cookies = answer.cookies();
    let [cookie] = &cookies[..] else { panic!("one cookie: {answer:?}") };
    let wanted = ["httponly", "max-age=600", "path=/api/v1/auth", "samesite=lax", "secure"];
    assert_eq!(cookie.attributes, wanted);
    let state = parameter(answer.header("location"), "state");
    assert!(!state.contains(&cookie.value) && !cookie.value.contains(&state), "a secret");
}

#[tokio::test]
async fn the_ways_to_log_in_are_listed() {
    let Some(provider) = Provider::start().await else { return };
    let settings =
        provider.behind(Server::with()).set("handlers.openid.school.title", "Our school");
    let server = settings.start().await;
    let ways = server.get("/api/v1/auth/providers", crate::site::ANONYMOUS).await;
    let wanted = json!([
        {"name": "google", "title": "Google"}, {"name": "school", "title": "Our school"},
    ]);
    assert_eq!(*ways.ok(), json!({"ok": true, "providers": wanted, "local": false}));
}

#[tokio::test]
async fn any_name_arrives_as_it_is() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    for (account, name, encoded) in [
        ("1:100%25%20%C3%A9%2Fx", "100% é/x", "100%2525%20%C3%A9%2Fx"),
        ("2:%F0%9F%90%8E%20%2541%3B%22%2C%3D", "🐎 %41;\",=", "%F0%9F%90%8E%20%252541%3B%22%2C%3D"),
        ("3:%E5%90%8D-_.~", "名-_.~", "%E5%90%8D-_.~"),
    ] {
        let mut player = Browser::of(&server, &provider, account);
        player.logs_in("google").await;
        assert_eq!(player.cookie("USERNAME"), Some(encoded));
        assert_eq!(player.shown_name(), name);
        assert_eq!(player.is_known_as().await.1, name);
    }
}

#[tokio::test]
async fn the_name_follows_the_providers() {
    let Some(provider) = Provider::start().await else { return };
    on_both(async |database| {
        let server = provider.behind(database.settings()).start().await;
        let mut laptop = Browser::of(&server, &provider, "77:Ada");
        laptop.logs_in("google").await;
        let mut phone = Browser::of(&server, &provider, "77:Ada%20Lovelace");
        phone.logs_in("google").await;

        assert_eq!(phone.is_known_as().await.1, "Ada Lovelace");
        assert_eq!(phone.shown_name(), "Ada Lovelace");
        // Elsewhere the old one is shown until its token is replaced.
        assert_eq!(laptop.is_known_as().await.1, "Ada");
        laptop.posts("/api/v1/auth/token-refresh").await.ok();
        assert_eq!(laptop.is_known_as().await, ("google-77".into(), "Ada Lovelace".into()));
    })
    .await;
}

#[tokio::test]
async fn accounts_of_two_providers_are_two() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    ada.logs_in("google").await;
    ada.becomes("77:Somebody%20else");
    ada.logs_in("school").await;
    assert_eq!(ada.is_known_as().await, ("school-77".into(), "Somebody else".into()));
    ada.becomes("77:Ada");
    ada.logs_in("google").await;
    assert_eq!(ada.is_known_as().await, ("google-77".into(), "Ada".into()));
}

#[tokio::test]
async fn a_page_that_asks_twice_goes_on_with_the_second_answer() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    // The page's script is not allowed to follow it elsewhere, but its cookie is kept.
    ada.opens(&format!("{}?_rsc=1a2b3", login("google"))).await;
    ada.logs_in("google").await;
    assert_eq!(ada.is_known_as().await.0, "google-77");
}

#[tokio::test]
async fn two_tabs_of_a_browser_log_in_at_once() {
    let Some(provider) = Provider::start().await else { return };
    let server = provider.behind(Server::with()).start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    let [first, second] = [ada.begins("google").await, ada.begins("school").await];
    let third = ada.begins("google").await;
    for at_provider in [second, third, first] {
        let back = ada.agrees(&at_provider).await;
        arrives(&ada.opens(&back).await);
    }
    assert_eq!(ada.is_known_as().await, ("google-77".into(), "Ada".into()));
}

#[tokio::test]
async fn eight_devices_log_in_at_once_and_stay() {
    let Some(provider) = Provider::start().await else { return };
    on_both(async |database| {
        let mut server = provider.behind(database.settings()).start().await;
        let devices = (0..8).map(|_| Browser::of(&server, &provider, "77:Ada"));
        let devices = join_all(devices.map(async |mut device| {
            device.logs_in("google").await;
            device
        }));
        let devices = devices.await;

        server.kill().await;
        server.restart().await;
        let refreshed = devices.into_iter().map(async |mut device| {
            device.posts("/api/v1/auth/token-refresh").await.ok();
            device.is_known_as().await
        });
        let ada = ("google-77".to_owned(), "Ada".to_owned());
        assert_eq!(join_all(refreshed).await, vec![ada; 8]);
    })
    .await;
}

#[tokio::test]
async fn a_client_proves_who_it_is_as_it_has_agreed_with_the_provider() {
    let Some(provider) = Provider::start().await else { return };
    // All that form encoding changes, in both places.
    let (odd, secret) = ("a race:&+=%41 x", "s3:c r/e+t%2F&=?");
    let post_only = json!({
        "issuer": provider.issuer,
        "authorization_endpoint": format!("{}/auth", provider.issuer),
        "token_endpoint": format!("{}/token", provider.issuer),
        "jwks_uri": format!("{}/jwks", provider.issuer),
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    });
    for (way, auth, secret) in [
        ("school", "client_secret_basic", Some(secret)),
        ("school", "client_secret_post", Some(secret)),
        ("school", "none", None),
        ("google", "client_secret_post", Some(secret)),
        ("google", "none", None),
    ] {
        provider.knows(client(odd, secret, auth)).await;
        if auth == "client_secret_post" {
            let path = "/.well-known/openid-configuration";
            provider.told("fault", json!({"path": path, "body": post_only})).await;
        }
        let mut settings = provider.behind(Server::with());
        for (id, key) in [
            ("google.client_id", "google.client_secret"),
            ("handlers.openid.school.client_id", "handlers.openid.school.client_secret"),
        ] {
            settings = match secret {
                Some(secret) => settings.set(id, odd).set(key, secret),
                None => settings.set(id, odd).unset(key),
            };
        }
        let server = settings.start().await;
        let mut ada = Browser::of(&server, &provider, "77:Ada");
        arrives(&ada.tries(way).await);
        provider.untold("fault").await;
    }
}

#[tokio::test]
async fn a_login_is_kept_and_ended_like_any_other() {
    let Some(provider) = Provider::start().await else { return };
    on_both(async |database| {
        let server = provider.behind(database.settings()).start().await;
        let mut laptop = Browser::of(&server, &provider, "77:Ada");
        laptop.logs_in("google").await;
        let mut phone = Browser::of(&server, &provider, "77:Ada");
        phone.logs_in("google").await;
        let mut at_laptop = Player::known(&server.site(), laptop.access_token()).await;
        let mut on_phone = Player::known(&server.site(), phone.access_token()).await;

        let before = laptop.clone();
        laptop.posts("/api/v1/auth/token-refresh").await.ok();
        assert_ne!(before.cookie("TP_RT"), laptop.cookie("TP_RT"));
        assert_eq!(laptop.claims()["sub"], "google-77");
        let refreshed = laptop.clone();

        laptop.posts("/api/v1/auth/logout").await.ok();
        for name in ["TP_AT", "TP_RT", "USERNAME"] {
            assert_eq!(laptop.cookie(name), None, "{name}");
        }
        assert_eq!(at_laptop.lobby.closed().await, 4502);
        on_phone.lobby.is_alive().await;
        // Nor do copies of the tokens bring the login back.
        for mut copy in [before, refreshed] {
            let refused = copy.posts("/api/v1/auth/token-refresh").await;
            refused.refused(400, "REFRESH_TOKEN_MISSMATCH");
        }
        phone.posts("/api/v1/auth/token-refresh").await.ok();
    })
    .await;
}
