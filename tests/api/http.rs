//! What holds for every route: the envelope, wrong paths and methods, numbers of any size, HEAD, the trailing slash.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::Server;
use crate::site::ANONYMOUS;

/// Routes with the one method they know.
const ROUTES: [(&str, &str); 18] = [
    ("GET", "/healthcheck/alive"),
    ("GET", "/healthcheck/ready"),
    ("POST", "/api/v1/auth/guest"),
    ("GET", "/api/v1/auth/guest-token"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/token-refresh"),
    ("GET", "/api/v1/lobby/players"),
    ("GET", "/api/v1/lobby/countdown"),
    ("GET", "/api/v1/game/players"),
    ("GET", "/api/v1/game/countdown"),
    ("GET", "/api/v1/game/words"),
    ("GET", "/api/v1/game/result"),
    ("POST", "/api/v1/game/statistics"),
    ("GET", "/api/v1/profile/user-info"),
    ("GET", "/api/v1/profile/statistics"),
    ("GET", "/api/v1/profile/graph"),
    ("GET", "/api/v1/profile/history"),
    ("GET", "/api/v1/online"),
];

/// Those that take a game, and what they say of one that does not exist.
const BY_GAME: [(&str, &str); 4] = [
    ("/api/v1/lobby/countdown", "GAME_NOT_FOUND"),
    ("/api/v1/game/countdown", "GAME_NOT_FOUND"),
    ("/api/v1/game/words", "WORDS_NOT_FOUND"),
    ("/api/v1/game/result", "GAME_NOT_FOUND"),
];

#[tokio::test]
async fn a_healthy_server_says_so() {
    let server = Server::start().await;
    for path in ["/healthcheck/alive", "/healthcheck/ready"] {
        let answer = server.get(path, ANONYMOUS).await;
        answer.ok();
        assert_eq!(answer.text, r#"{"ok":true}"#);
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found_in_the_envelope() {
    let server = Server::start().await;
    let unknown = [
        "/api/v1/unknown",
        "/api/v1",
        "/api/v2/lobby/players",
        "/api/v1/lobby/players/1",
        "/healthcheck",
        "/api/v1/Lobby/countdown",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/%FF%FE",
    ];
    for path in unknown {
        server.get(path, ANONYMOUS).await.refused(404, "NOT_FOUND");
        server.post(path, ANONYMOUS, &json!({})).await.refused(404, "NOT_FOUND");
    }
    let browser =
        server.request(Method::GET, "/api/v1/unknown", ANONYMOUS).header("accept", "text/html");
    server.send(browser).await.refused(404, "NOT_FOUND");
    for path in ["/api/v1/lobby/ws", "/api/v1/lobby/queue-in/ws/x", "/api/v1/chess/ws"] {
        server.handshake(path, ANONYMOUS).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_right() {
    let server = Server::start().await;
    for (right, path) in ROUTES {
        let wrong = if right == "GET" {
            [Method::POST, Method::DELETE]
        } else {
            [Method::GET, Method::PUT]
        };
        for method in wrong {
            let answer = server.send(server.request(method, path, ANONYMOUS)).await;
            answer.refused(405, "METHOD_NOT_ALLOWED");
            assert!(
                answer.header("allow").split(',').any(|method| method.trim() == right),
                "{answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn head_works_where_get_does() {
    let server = Server::start().await;
    let anna = server.guest().await;
    for path in ["/healthcheck/alive", "/healthcheck/ready", "/api/v1/profile/user-info"] {
        let answer = server.send(server.request(Method::HEAD, path, &anna)).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{answer:?}");
        assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
    }
    let path = "/api/v1/lobby/countdown?game_id=999999";
    assert_eq!(server.send(server.request(Method::HEAD, path, ANONYMOUS)).await.status, 404);
    let path = "/api/v1/game/statistics";
    assert_eq!(server.send(server.request(Method::HEAD, path, ANONYMOUS)).await.status, 405);
}

#[tokio::test]
async fn a_trailing_slash_is_redirected_to_the_path_without() {
    let server = Server::with().embedded().start().await;
    for path in ["/healthcheck/alive", "/api/v1/lobby/countdown", "/api/v1/profile/user-info"] {
        let answer = server.get(&format!("{path}/"), ANONYMOUS).await;
        assert_eq!(answer.status, 307, "{answer:?}");
        assert_eq!(answer.header("location"), path);
    }
    let answer = server.get("/api/v1/lobby/countdown/?game_id=7&x=%20", ANONYMOUS).await;
    assert_eq!(answer.header("location"), "/api/v1/lobby/countdown?game_id=7&x=%20");
    let answer = server.post("/api/v1/auth/logout/", ANONYMOUS, &Value::Null).await;
    assert_eq!((answer.status, answer.header("location")), (307, "/api/v1/auth/logout"));
    server.get("/api/v1/unknown/", ANONYMOUS).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_path_cannot_redirect_to_another_site() {
    let server = Server::start().await;
    for path in ["//evil.example/", "//evil.example/%2e%2e/", "/\\evil.example/"] {
        let answer = server.get(path, ANONYMOUS).await;
        assert!(!answer.header("location").contains("//evil"), "{answer:?}");
        assert!(answer.status < 500, "{answer:?}");
    }
}

#[tokio::test]
async fn a_game_number_may_be_of_any_size() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let sizes = [
        "999999",
        "0",
        "-1",
        "9223372036854775807",
        "9223372036854775808",
        "1000000000000000000000000000000",
    ];
    for number in sizes {
        for (path, code) in BY_GAME {
            server.get(&format!("{path}?game_id={number}"), ANONYMOUS).await.refused(404, code);
        }
        for path in ["/api/v1/lobby/players", "/api/v1/game/players"] {
            server
                .get(&format!("{path}?game_id={number}"), &anna)
                .await
                .refused(404, "GAME_NOT_FOUND");
        }
        server
            .handshake(&format!("/api/v1/game/ws?game_id={number}"), &anna)
            .await
            .refused(404, "GAME_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_game_number_must_be_a_whole_number() {
    let server = Server::start().await;
    for query in [
        "",
        "?game_id=",
        "?game_id=x",
        "?game_id=1.5",
        "?game_id=0x1f",
        "?game_id=1e3",
        "?game=1",
        "?game_id=%FF",
    ] {
        for path in BY_GAME.iter().map(|(path, _)| path) {
            server.get(&format!("{path}{query}"), ANONYMOUS).await.refused(422, "VALIDATION_ERROR");
        }
        for path in ["/api/v1/lobby/players", "/api/v1/game/players"] {
            server.get(&format!("{path}{query}"), ANONYMOUS).await.refused(422, "VALIDATION_ERROR");
        }
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let path =
        format!("/api/v1/lobby/players?colour=red&game_id={}&_rsc=1x2y&colour=blue&&=", anna.game);
    server.get(&path, &anna).await.ok();
    server.get("/healthcheck/alive?x=1", ANONYMOUS).await.ok();
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let large =
        json!({"game_id": 1, "wpm": 1, "wpm_raw": 1, "acc": 1, "essay": "x".repeat(70_000)});
    server.post("/api/v1/game/statistics", &anna, &large).await.refused(413, "PAYLOAD_TOO_LARGE");
    server.get("/healthcheck/alive", ANONYMOUS).await.ok();
}

#[tokio::test]
async fn the_front_door_leads_to_a_page() {
    let server = Server::start().await;
    let answer = server.get("/", ANONYMOUS).await;
    let page = answer.status == 200 && answer.header("content-type").starts_with("text/html");
    let elsewhere =
        matches!(answer.status, 302 | 303 | 307 | 308) && !answer.header("location").is_empty();
    assert!(page || elsewhere, "{answer:?}");
}

#[tokio::test]
async fn the_routes_are_described() {
    let server = Server::start().await;
    let answer = server.get("/openapi.json", ANONYMOUS).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body["openapi"].as_str().is_some_and(|version| version.starts_with('3')));
    for (method, path) in ROUTES {
        assert!(
            answer.body["paths"][path][method.to_lowercase()].is_object(),
            "{method} {path} is not described"
        );
    }
    let docs = server.get("/docs", ANONYMOUS).await;
    assert!(matches!(docs.status, 200 | 307 | 308), "{docs:?}");
}

#[tokio::test]
async fn no_answer_tells_what_the_server_is_made_of() {
    let server = Server::start().await;
    for path in ["/api/v1/unknown", "/healthcheck/alive", "/api/v1/lobby/countdown?game_id=x"] {
        let answer = server.get(path, ANONYMOUS).await;
        let told = format!("{:?} {}", answer.headers, answer.text).to_lowercase();
        for inside in ["salvo", "hyper", "sqlx", "src/", ".rs", "panicked"] {
            assert!(!told.contains(inside), "{inside}: {answer:?}");
        }
    }
}
