//! Requests that are no proper HTTP, or too large: they are told so in the envelope.

use crate::raw::Raw;
use crate::server::Server;

async fn refused(server: &Server, request: &str, status: u16, code: &str) {
    let mut connection = Raw::connect(server.port()).await;
    let answer = connection.send(request).await.answer().await;
    answer.refused(status, code);
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_the_envelope() {
    let server = Server::start().await;
    for request in [
        "nonsense\r\n\r\n",
        "GET /healthcheck/alive HTTP/9.9\r\nhost: here\r\n\r\n",
        "GET /health check HTTP/1.1\r\nhost: here\r\n\r\n",
        "GET /healthcheck/alive HTTP/1.1\r\nhost: here\r\nbad name: 1\r\n\r\n",
        "POST /api/v1/auth/logout HTTP/1.1\r\nhost: here\r\ncontent-length: many\r\n\r\n",
    ] {
        refused(&server, request, 400, "BAD_REQUEST").await;
    }
    server.get("/healthcheck/alive", crate::site::ANONYMOUS).await.ok();
}

#[tokio::test]
async fn a_path_that_is_too_long_is_refused_in_the_envelope() {
    let server = Server::start().await;
    for length in [70_000, 300_000, 2_000_000] {
        let path = "x".repeat(length);
        let request = format!("GET /{path} HTTP/1.1\r\nhost: here\r\n\r\n");
        refused(&server, &request, 414, "URI_TOO_LONG").await;
    }
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused_in_the_envelope() {
    let server = Server::start().await;
    let head = "GET /healthcheck/alive HTTP/1.1\r\nhost: here\r\n";
    for length in [500_000, 2_000_000] {
        let request = format!("{head}cookie: {}\r\n\r\n", "x".repeat(length));
        refused(&server, &request, 431, "HEADERS_TOO_LARGE").await;
    }
    let many: String = (0..300).map(|number| format!("x-{number}: 1\r\n")).collect();
    refused(&server, &format!("{head}{many}\r\n"), 431, "HEADERS_TOO_LARGE").await;
}

#[tokio::test]
async fn a_request_has_one_host() {
    let server = Server::start().await;
    let head = "GET /healthcheck/alive HTTP/1.1\r\n";
    refused(&server, &format!("{head}\r\n"), 400, "BAD_REQUEST").await;
    refused(&server, &format!("{head}host: a\r\nhost: b\r\n\r\n"), 400, "BAD_REQUEST").await;
    refused(&server, &format!("{head}host: a\r\nHost: a\r\n\r\n"), 400, "BAD_REQUEST").await;

    for fine in [&format!("{head}host: a\r\n\r\n"), "GET /healthcheck/alive HTTP/1.0\r\n\r\n"] {
        let answer = Raw::connect(server.port()).await.send(fine).await.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"ok":true}"#), "{fine}");
    }
}
