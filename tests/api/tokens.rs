//! The access check, the same at every door that has one.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::Server;
use crate::signing;
use crate::site::{ANONYMOUS, Answer, Caller};

/// Everything that asks for a token, in a form that is otherwise proper.
const DOORS: [(Method, &str); 7] = [
    (Method::GET, "/api/v1/lobby/players?game_id=999999"),
    (Method::GET, "/api/v1/game/players?game_id=999999"),
    (Method::POST, "/api/v1/game/statistics"),
    (Method::GET, "/api/v1/profile/user-info"),
    (Method::GET, "/api/v1/profile/statistics"),
    (Method::GET, "/api/v1/profile/graph?size=10"),
    (Method::GET, "/api/v1/profile/history?page=1&size=20"),
];

/// A game socket is refused in its handshake.
const GAME_SOCKET: &str = "/api/v1/game/ws?game_id=999999";

async fn knock(server: &Server, method: Method, path: &str, caller: &impl Caller) -> Answer {
    let body = json!({"game_id": 999_999, "wpm": 60, "wpm_raw": 60, "acc": 90});
    let request = server.request(method.clone(), path, caller);
    server.send(if method == Method::POST { request.json(&body) } else { request }).await
}

async fn all_doors_refuse(token: &str, status: u16, code: &str) {
    let server = Server::start().await;
    every_door_refuses(&server, token, status, code).await;
}

async fn every_door_refuses(server: &Server, token: &str, status: u16, code: &str) {
    let token = token.to_owned();
    for (method, path) in DOORS {
        let answer = knock(server, method, path, &token).await;
        answer.refused(status, code);
    }
    server.handshake(GAME_SOCKET, &token).await.refused(403, code);
}

/// A guest's claims with one of them replaced, or taken away by null.
fn with(name: &str, value: Value) -> Value {
    let mut claims = signing::guest_claims(signing::SOME_GUEST);
    let map = claims.as_object_mut().expect("an object");
    match value {
        Value::Null => drop(map.remove(name)),
        value => drop(map.insert(name.to_owned(), value)),
    }
    claims
}

#[tokio::test]
async fn without_a_token_no_request_is_let_in() {
    let server = Server::start().await;
    for (method, path) in DOORS {
        let answer = knock(&server, method, path, ANONYMOUS).await;
        answer.refused(401, "TOKEN_NOT_PROVIDED");
        assert_eq!(answer.body["error"]["message"], "Access token 'TP_AT' not present in cookie");
    }
    server.handshake(GAME_SOCKET, ANONYMOUS).await.refused(403, "TOKEN_NOT_PROVIDED");
    every_door_refuses(&server, "", 401, "TOKEN_NOT_PROVIDED").await;
}

#[tokio::test]
async fn an_expired_token_is_told_from_a_wrong_one() {
    let token = signing::sign(&with("exp", json!(signing::now() - 1)));
    let server = Server::start().await;
    every_door_refuses(&server, &token, 400, "TOKEN_EXPIRED").await;
    let long_ago = signing::sign(&with("exp", json!(1)));
    every_door_refuses(&server, &long_ago, 400, "TOKEN_EXPIRED").await;

    // Expired and wrong is wrong.
    let forged = signing::sign_as_stranger(&with("exp", json!(1)));
    server.get("/api/v1/profile/user-info", &forged).await.refused(400, "INVALID_TOKEN");
}

#[tokio::test]
async fn garbage_is_no_token() {
    let server = Server::start().await;
    for garbage in ["garbage", "a.b", "a.b.c", "..", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"] {
        every_door_refuses(&server, garbage, 400, "INVALID_TOKEN").await;
    }
}

#[tokio::test]
async fn a_token_of_another_signature_is_invalid() {
    let server = Server::start().await;
    let claims = signing::guest_claims(signing::SOME_GUEST);
    let genuine = signing::sign(&claims);
    let forged = [
        signing::sign_as_stranger(&claims),
        signing::sign_symmetrically(&claims),
        signing::sign_by_other_algorithm(&claims),
        signing::unsigned(&claims),
        signing::tampered(&genuine),
        genuine[..genuine.len() - 8].to_owned(),
    ];
    for token in forged {
        every_door_refuses(&server, &token, 400, "INVALID_TOKEN").await;
    }
}

#[tokio::test]
async fn a_token_from_the_future_is_invalid() {
    let server = Server::start().await;
    for claim in ["nbf", "iat"] {
        for ahead in [10, 500] {
            let token = signing::sign(&with(claim, json!(signing::now() + ahead)));
            every_door_refuses(&server, &token, 400, "INVALID_TOKEN").await;
        }
    }
}

#[tokio::test]
async fn a_token_that_lacks_a_claim_is_invalid() {
    let server = Server::start().await;
    for claim in ["sub", "name", "exp", "user_type"] {
        let token = signing::sign(&with(claim, Value::Null));
        every_door_refuses(&server, &token, 400, "INVALID_TOKEN").await;
    }
}

#[tokio::test]
async fn a_token_of_an_unknown_kind_of_user_is_invalid() {
    all_doors_refuse(&signing::sign(&with("user_type", json!("ROBOT"))), 400, "INVALID_TOKEN")
        .await;
}

#[tokio::test]
async fn a_token_whose_claims_have_the_wrong_type_is_invalid() {
    let server = Server::start().await;
    for (claim, value) in
        [("sub", json!(1)), ("name", json!([])), ("exp", json!("soon")), ("user_type", json!(0))]
    {
        let token = signing::sign(&with(claim, value));
        every_door_refuses(&server, &token, 400, "INVALID_TOKEN").await;
    }
}

#[tokio::test]
async fn what_is_asked_is_checked_before_who_asks() {
    let server = Server::start().await;
    let bad = [
        "/api/v1/lobby/players?game_id=x",
        "/api/v1/lobby/players",
        "/api/v1/game/players?game_id=1.5",
        "/api/v1/profile/graph?size=1001",
        "/api/v1/profile/history?page=0&size=20",
    ];
    for path in bad {
        server.get(path, ANONYMOUS).await.refused(422, "VALIDATION_ERROR");
        server.get(path, &"garbage".to_owned()).await.refused(422, "VALIDATION_ERROR");
    }
    server
        .post("/api/v1/game/statistics", ANONYMOUS, &json!({}))
        .await
        .refused(422, "VALIDATION_ERROR");
    server.handshake("/api/v1/game/ws?game_id=x", ANONYMOUS).await.refused(403, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_token_signed_by_the_old_server_is_good() {
    let server = Server::start().await;
    // Just the six claims, as they have always been.
    let guest = signing::sign(&signing::guest_claims(signing::SOME_GUEST));
    server.get("/api/v1/profile/user-info", &guest).await.ok();
    let registered = signing::sign(&signing::claims("google-77", "User 77", "REGISTERED"));
    server.get("/api/v1/profile/user-info", &registered).await.ok();
}
