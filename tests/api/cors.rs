//! What pages of other sites may read and do.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::server::Server;
use crate::site::{ANONYMOUS, Answer};

const OURS: &str = "http://localhost:9090";
const THEIRS: &str = "https://evil.example";

async fn one_allowed() -> Server {
    Server::with().set("cors.allow_origins", format!(r#"["{OURS}"]"#)).start().await
}

fn preflight(server: &Server, origin: &str) -> RequestBuilder {
    server
        .request(Method::OPTIONS, "/api/v1/game/statistics", ANONYMOUS)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type, x-colour")
}

async fn get_from(server: &Server, origin: &str, path: &str) -> Answer {
    server.send(server.request(Method::GET, path, ANONYMOUS).header("origin", origin)).await
}

fn varies_by_origin(answer: &Answer) -> bool {
    answer.header("vary").split(',').any(|name| name.trim().eq_ignore_ascii_case("origin"))
}

#[tokio::test]
async fn an_allowed_page_may_read_every_answer_errors_too() {
    let server = one_allowed().await;
    let paths = [
        ("/healthcheck/alive", 200),
        ("/api/v1/unknown", 404),
        ("/api/v1/profile/user-info", 401),
        ("/api/v1/lobby/countdown?game_id=x", 422),
        ("/api/v1/auth/logout", 405),
    ];
    for (path, status) in paths {
        let answer = get_from(&server, OURS, path).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), OURS, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert!(varies_by_origin(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn another_page_gets_an_answer_that_its_browser_keeps_from_it() {
    let server = one_allowed().await;
    let answer = get_from(&server, THEIRS, "/healthcheck/alive").await;
    answer.ok();
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
}

#[tokio::test]
async fn without_an_origin_there_is_no_talk_of_origins() {
    let server = one_allowed().await;
    let answer = server.get("/healthcheck/alive", ANONYMOUS).await;
    let names: Vec<_> =
        answer.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[tokio::test]
async fn a_preflight_of_an_allowed_page_is_answered() {
    let server = one_allowed().await;
    let answer = server.send(preflight(&server, OURS)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "OK"), "{answer:?}");
    assert!(answer.header("content-type").starts_with("text/plain"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), OURS);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(
        answer.header("access-control-allow-methods"),
        "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    );
    assert_eq!(answer.header("access-control-allow-headers"), "content-type, x-colour");
    assert_eq!(answer.header("access-control-max-age"), "600");
    assert!(varies_by_origin(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_preflight_of_another_page_is_refused() {
    let server = one_allowed().await;
    let answer = server.send(preflight(&server, THEIRS)).await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (400, "Disallowed CORS origin"),
        "{answer:?}"
    );
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn options_that_is_no_preflight_is_a_wrong_method() {
    let server = one_allowed().await;
    let request = server.request(Method::OPTIONS, "/api/v1/game/statistics", ANONYMOUS);
    server.send(request).await.refused(405, "METHOD_NOT_ALLOWED");
    let request = server
        .request(Method::OPTIONS, "/api/v1/game/statistics", ANONYMOUS)
        .header("origin", OURS);
    server.send(request).await.refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn another_page_changes_nothing() {
    let server = Server::with()
        .set("cors.allow_origins", format!(r#"["{OURS}"]"#))
        .set("game.player_limit", 1)
        .start()
        .await;
    let [anna] = server.race_of().await;
    let figures = serde_json::json!({"game_id": anna.game, "wpm": 60, "wpm_raw": 60, "acc": 90});
    let report = |origin: &str| {
        server
            .request(Method::POST, "/api/v1/game/statistics", &anna)
            .header("origin", origin)
            .json(&figures)
    };

    for origin in [THEIRS, "null", "http://localhost:9091", "http://localhost:9090.evil.example"] {
        server.send(report(origin)).await.refused(403, "ORIGIN_NOT_ALLOWED");
    }
    for path in ["/api/v1/auth/logout", "/api/v1/auth/token-refresh"] {
        let request =
            server.request(Method::POST, path, &anna).header("origin", THEIRS).json(&Value::Null);
        server.send(request).await.refused(403, "ORIGIN_NOT_ALLOWED");
    }
    assert_eq!(anna.ranking().await[0]["rank"], 99999);

    server.send(report(OURS)).await.ok();
}

#[tokio::test]
async fn a_page_of_the_server_itself_needs_no_permission() {
    let server = Server::with().embedded().start().await;
    let own = format!("http://127.0.0.1:{}", server.port());
    let request =
        server.request(Method::POST, "/api/v1/auth/logout", ANONYMOUS).header("origin", own);
    server.send(request).await.ok();
}
