//! How a newcomer becomes a guest with a cookie of its own, and ceases to be one.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::persona::{fetch_token, guest_token_path};
use crate::server::Server;
use crate::signing;
use crate::site::{ANONYMOUS, Answer};

const REFRESH: &str = "/api/v1/auth/token-refresh";

/// POST token-refresh with that refresh token.
async fn refresh(server: &Server, token: Option<&str>) -> Answer {
    let request = server.request(Method::POST, REFRESH, ANONYMOUS);
    let request = match token {
        Some(token) => request.header("cookie", format!("TP_RT={token}")),
        None => request,
    };
    server.send(request).await
}

#[tokio::test]
async fn a_guest_gets_a_token_that_says_who_it_is() {
    let server = Server::start().await;
    let before = signing::now();
    let anna = server.guest().await;

    let header = signing::header(&anna.token);
    assert_eq!(header.alg, jsonwebtoken::Algorithm::RS256);
    assert_eq!(header.typ.as_deref(), Some("JWT"));

    let claims = signing::read(&anna.token);
    let time =
        |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("no {name} in {claims}"));
    assert!(time("iat") >= before && time("iat") <= signing::now());
    assert_eq!(time("nbf"), time("iat") - 1);
    assert_eq!(time("exp"), time("iat") + 30 * 24 * 3600);
    assert_eq!(claims["user_type"], "GUEST");

    let digits = anna.id.strip_prefix("guest-").expect("guest-…");
    assert!(
        digits.len() == 32 && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')),
        "{digits}"
    );
    let extra = claims.as_object().expect("claims").len() - 6;
    assert!(extra <= 1, "at most the mark of an access token beside the six: {claims}");
}

#[tokio::test]
async fn a_guest_has_a_short_name_that_is_unique_in_the_game() {
    let server = Server::with().set("game.player_limit", 12).start().await;
    let players: [_; 12] = server.lobby_of().await;
    let names: BTreeSet<_> = players.iter().map(crate::persona::Player::public_name).collect();
    assert_eq!(names.len(), players.len(), "{names:?}");
    for name in &names {
        assert!(!name.starts_with("guest-") && name.chars().count() <= 24, "{name}");
        let words = name.split([' ', '-']).filter(|word| !word.is_empty()).count();
        assert!(
            words == 2 || name.chars().filter(|c| c.is_uppercase()).count() == 2,
            "two words: {name}"
        );
    }
}

#[tokio::test]
async fn the_token_comes_in_a_cookie_that_lasts_a_month() {
    let server = Server::start().await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let offer = lobby.expect("GET_TOKEN").await;

    let answer = server.get(&guest_token_path(&offer), ANONYMOUS).await;
    assert_eq!(*answer.ok(), json!({"ok": true}));
    assert_eq!(answer.cookies().len(), 1, "{answer:?}");
    let cookie = answer.cookie("TP_AT");
    assert_eq!(
        cookie.attributes,
        ["httponly", "max-age=2592000", "path=/", "samesite=lax", "secure"]
    );
    signing::read(&cookie.value);
}

#[tokio::test]
async fn an_operator_may_have_cookies_that_are_not_secure() {
    let server = Server::with().set("cookies.secure", false).start().await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let offer = lobby.expect("GET_TOKEN").await;
    let cookie = server.get(&guest_token_path(&offer), ANONYMOUS).await.cookie("TP_AT");
    assert_eq!(cookie.attributes, ["httponly", "max-age=2592000", "path=/", "samesite=lax"]);
}

#[tokio::test]
async fn on_a_local_network_cookies_come_without_secure_unless_a_proxy_speaks_https_before() {
    let server = Server::start().await;
    for (host, headers, is_secure) in [
        ("192.168.1.20:8080", None, false),
        ("annas-laptop.local:8080", None, false),
        ("192.168.1.20", Some(("x-forwarded-proto", "https")), true),
        ("race.example.org", None, true),
    ] {
        let mut lobby = server.guest_in("").await;
        lobby.expect("INIT").await;
        let path = guest_token_path(&lobby.expect("GET_TOKEN").await);
        let mut request = server.request(Method::GET, &path, ANONYMOUS).header("host", host);
        if let Some((name, value)) = headers {
            request = request.header(name, value);
        }
        let cookie = server.send(request).await.cookie("TP_AT");
        assert_eq!(cookie.attributes.contains(&"secure".to_owned()), is_secure, "{host}");
    }
}

#[tokio::test]
async fn the_key_to_a_token_works_once() {
    let server = Server::start().await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let offer = lobby.expect("GET_TOKEN").await;
    fetch_token(&server, &offer).await;

    let again = server.get(&guest_token_path(&offer), ANONYMOUS).await;
    again.refused(400, "KEY_NOT_FOUND");
    assert!(again.cookies().is_empty(), "{again:?}");
}

#[tokio::test]
async fn the_key_to_a_token_works_once_also_for_many_who_try_at_once() {
    let server = Server::start().await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let path = guest_token_path(&lobby.expect("GET_TOKEN").await);
    let answers =
        futures_util::future::join_all((0..10).map(|_| server.get(&path, ANONYMOUS))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_key_of_a_token() {
    let origin = "http://localhost:9090";
    let server = Server::with().set("cors.allow_origins", format!("[{origin:?}]")).start().await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let path = guest_token_path(&lobby.expect("GET_TOKEN").await);
    let asked = async |headers: &[(&str, &str)]| {
        let request = server.request(Method::GET, &path, ANONYMOUS);
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        server.send(request).await
    };
    let foreign: [&[_]; 5] = [
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")],
        &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("origin", "https://evil.example")],
    ];
    for headers in foreign {
        let answer = asked(headers).await;
        answer.refused(403, "ORIGIN_NOT_ALLOWED");
        assert!(answer.cookies().is_empty(), "{answer:?}");
    }
    // The frontend on a port of its own; the key is still good.
    let answer = asked(&[("sec-fetch-site", "same-site"), ("origin", origin)]).await;
    answer.ok();
    signing::read(&answer.cookie("TP_AT").value);

    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let path = guest_token_path(&lobby.expect("GET_TOKEN").await);
    let request = server.request(Method::GET, &path, ANONYMOUS);
    server.send(request.header("sec-fetch-site", "same-origin")).await.cookie("TP_AT");
}

#[tokio::test]
async fn a_known_player_keeps_the_identity_and_the_key_stays_valid() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let ada = signing::sign(&signing::claims("google-77", "Ada", "REGISTERED"));
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let offer = lobby.expect("GET_TOKEN").await;
    for token in [&anna.token, &ada] {
        let answer = server.get(&guest_token_path(&offer), token).await;
        answer.ok();
        assert!(answer.cookies().is_empty(), "{answer:?}");
    }
    let stale = "garbage".to_owned();
    server.get(&guest_token_path(&offer), &stale).await.cookie("TP_AT");
}

#[tokio::test]
async fn a_look_at_the_head_does_not_use_the_key_up() {
    let server = Server::start().await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let offer = lobby.expect("GET_TOKEN").await;
    let head =
        server.send(server.request(Method::HEAD, &guest_token_path(&offer), ANONYMOUS)).await;
    assert_eq!((head.status, head.cookies().len()), (200, 0), "{head:?}");
    fetch_token(&server, &offer).await;
}

#[tokio::test]
async fn a_key_that_was_never_given_out_is_not_found() {
    let server = Server::start().await;
    for key in [
        "guest-token-69dd151099134e77a2a568a77facc8a7-1795368207162",
        "x",
        "",
        "%00",
        "%F0%9F%8E%B2",
    ] {
        let answer = server.get(&format!("/api/v1/auth/guest-token?key={key}"), ANONYMOUS).await;
        answer.refused(400, "KEY_NOT_FOUND");
        assert!(answer.cookies().is_empty(), "{answer:?}");
    }
    server.get("/api/v1/auth/guest-token", ANONYMOUS).await.refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn the_key_is_good_after_the_lobby_socket_has_gone() {
    let server = Server::start().await;
    let _anna = server.guest().await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let offer = lobby.expect("GET_TOKEN").await;
    lobby.close().await;
    fetch_token(&server, &offer).await;
}

#[tokio::test]
async fn logging_out_clears_three_cookies_with_or_without_a_valid_token() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let garbage = "garbage".to_owned();
    let answers = [
        server.post("/api/v1/auth/logout", &anna, &Value::Null).await,
        server.post("/api/v1/auth/logout", &garbage, &Value::Null).await,
        server.send(server.request(Method::POST, "/api/v1/auth/logout", ANONYMOUS)).await,
    ];
    for answer in answers {
        assert_eq!(*answer.ok(), json!({"ok": true}));
        assert_eq!(answer.cookies().len(), 3, "{answer:?}");
        answer.cookie("TP_AT").deletes("/");
        answer.cookie("TP_RT").deletes(REFRESH);
        answer.cookie("USERNAME").deletes("/");
    }
}

#[tokio::test]
async fn an_access_token_outlives_a_logout() {
    let server = Server::start().await;
    let anna = server.guest().await;
    server.post("/api/v1/auth/logout", &anna, &Value::Null).await.ok();
    server.get("/api/v1/profile/user-info", &anna).await.ok();
}

#[tokio::test]
async fn a_guest_has_nothing_to_refresh_with() {
    let server = Server::start().await;
    for token in [None, Some("")] {
        let answer = refresh(&server, token).await;
        answer.refused(401, "TOKEN_NOT_PROVIDED");
        answer.cookie("USERNAME").deletes("/");
    }
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_read_is_invalid() {
    let server = Server::start().await;
    let claims = signing::claims("google-77", "User 77", "REGISTERED");
    let mut expired = claims.clone();
    expired["exp"] = json!(signing::now() - 1);
    let bad = [
        "garbage".to_owned(),
        signing::sign(&expired),
        signing::sign_as_stranger(&claims),
        signing::sign_symmetrically(&claims),
        signing::unsigned(&claims),
    ];
    for token in bad {
        let answer = refresh(&server, Some(&token)).await;
        answer.refused(400, "INVALID_TOKEN");
        answer.cookie("USERNAME").deletes("/");
        assert!(
            answer.cookies().iter().all(|cookie| cookie.name != "TP_AT" || cookie.value.len() < 9),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_token_that_was_never_stored_does_not_refresh() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let unknown = signing::sign(&signing::claims("google-77", "User 77", "REGISTERED"));
    for token in [&anna.token, &unknown] {
        let answer = refresh(&server, Some(token)).await;
        answer.refused(400, "REFRESH_TOKEN_MISSMATCH");
        answer.cookie("USERNAME").deletes("/");
    }
}

#[tokio::test]
async fn an_access_token_is_looked_for_in_its_own_cookie_only() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let request = server.request(Method::GET, "/api/v1/profile/user-info", ANONYMOUS);
    let request = request.header("cookie", format!("TP_RT={0}; AT={0}; tp_at={0}", anna.token));
    let request = request.header("authorization", format!("Bearer {}", anna.token));
    server.send(request).await.refused(401, "TOKEN_NOT_PROVIDED");

    let request = server.request(Method::GET, "/api/v1/profile/user-info", ANONYMOUS);
    let request =
        request.header("cookie", format!("theme=dark; TP_AT={}; USERNAME=x%20y", anna.token));
    server.send(request).await.ok();
}
