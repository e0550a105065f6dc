//! The built-in client, as a browser gets it: its page at `/`, its files, and how little of them is sent twice.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::Value;

use crate::browser::Browser;
use crate::openid::Provider;
use crate::server::Server;
use crate::site::{ANONYMOUS, Answer};

/// A path under `/web/` that the page names.
fn named_in(page: &str, end: &str) -> String {
    let paths = page.split('"').filter(|it| it.starts_with("/web/") && it.ends_with(end));
    paths.map(str::to_owned).next().unwrap_or_else(|| panic!("no {end} in {page}"))
}

async fn with(server: &Server, path: &str, header: &str, value: &str) -> Answer {
    server.send(server.request(Method::GET, path, ANONYMOUS).header(header, value)).await
}

#[tokio::test]
async fn the_front_door_is_the_client_with_all_its_files() {
    let server = Server::start().await;
    let page = server.get("/", ANONYMOUS).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for (end, kind) in [(".js", "text/javascript"), (".css", "text/css")] {
        let file = server.get(&named_in(&page.text, end), ANONYMOUS).await;
        assert_eq!(
            (file.status, file.header("content-type")),
            (200, &*format!("{kind}; charset=utf-8"))
        );
        assert!(!file.text.is_empty(), "{file:?}");
    }
    for answer in [page, server.get("/docs", ANONYMOUS).await] {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_page_of_the_client_is_locked_up() {
    let server = Server::start().await;
    let page = server.get("/", ANONYMOUS).await;
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'self'",
        "connect-src 'self' ws: wss:",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    ] {
        assert!(policy.split("; ").any(|it| it == rule), "{rule} is not in {policy}");
    }
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(
        !page.text.contains("<script>") && !page.text.contains("<style"),
        "the policy forbids it"
    );
}

#[tokio::test]
async fn a_file_that_has_not_changed_is_not_sent_again() {
    let server = Server::start().await;
    let page = server.get("/", ANONYMOUS).await;
    for path in ["/".to_owned(), named_in(&page.text, ".js")] {
        let first = server.get(&path, ANONYMOUS).await;
        assert_eq!(first.header("cache-control"), "no-cache");
        let etag = first.header("etag");
        assert!(etag.len() > 20, "{first:?}");
        let again = with(&server, &path, "if-none-match", etag).await;
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", etag));
        let changed = with(&server, &path, "if-none-match", "\"of-last-year\"").await;
        assert_eq!((changed.status, &changed.text), (200, &first.text));
    }
}

#[tokio::test]
async fn a_text_is_compressed_for_who_can_unpack_it() {
    let server = Server::start().await;
    let plain = server.get("/", ANONYMOUS).await;
    assert_eq!(plain.header("content-encoding"), "");
    let request = server.request(Method::GET, "/", ANONYMOUS).header("accept-encoding", "gzip, br");
    // By hand, since the client of the tests takes bytes for text.
    let url = request.build().expect("a request");
    let packed =
        reqwest::Client::builder().no_proxy().build().expect("a client").execute(url).await;
    let packed = packed.expect("an answer");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    for headers in [&plain.headers, packed.headers()] {
        assert_eq!(headers["vary"], "accept-encoding");
        assert_eq!(headers["etag"], plain.header("etag"));
    }
    let packed = packed.bytes().await.expect("a body");
    let mut unpacked = String::new();
    GzDecoder::new(&*packed).read_to_string(&mut unpacked).expect("gzip");
    assert!(unpacked == plain.text && packed.len() < plain.text.len());
}

#[tokio::test]
async fn head_says_what_get_would_send() {
    let server = Server::start().await;
    let page = server.get("/", ANONYMOUS).await;
    for path in ["/".to_owned(), named_in(&page.text, ".css")] {
        let [head, get] =
            [Method::HEAD, Method::GET].map(|it| server.request(it, &path, ANONYMOUS));
        let (head, get) = (server.send(head).await, server.send(get).await);
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
        let wrong = server.post(&path, ANONYMOUS, &Value::Null).await;
        wrong.refused(405, "METHOD_NOT_ALLOWED");
        assert!(wrong.header("allow").contains("GET"), "{wrong:?}");
    }
}

#[tokio::test]
async fn there_is_nothing_beside_the_files_of_the_client() {
    let server = Server::start().await;
    for path in [
        "/web",
        "/web/",
        "/web/unknown.js",
        "/web/%2e%2e/Cargo.toml",
        "/web/..%2fCargo.toml",
        "/web/%2Fetc/passwd",
        "/web//etc/passwd",
        "/web/..%5cCargo.toml",
        "/web/index.html/",
        "/web/.hidden",
        "/index",
        "/Cargo.toml",
    ] {
        server.get(path, ANONYMOUS).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn without_the_client_the_front_door_leads_to_the_frontend() {
    let off = || Server::with().set("web.enabled", false);
    let frontend = "https://race.example";
    for (settings, to) in
        [(off(), "http://localhost:3000"), (off().set("front_end_endpoint", frontend), frontend)]
    {
        let server = settings.start().await;
        let answer = server.get("/", ANONYMOUS).await;
        assert_eq!((answer.status, answer.header("location")), (307, to));
        server.get("/web/index.html", ANONYMOUS).await.refused(404, "NOT_FOUND");
        assert_eq!(server.get("/docs", ANONYMOUS).await.status, 200);
    }
}

#[tokio::test]
async fn a_login_that_fails_ends_at_the_client_unless_the_operator_has_another_page() {
    let failed = async |server: &Server| {
        let answer = server.get("/api/v1/auth/google/login", ANONYMOUS).await;
        answer.header("location").to_owned()
    };
    let server = Server::start().await;
    assert_eq!(failed(&server).await, "/?reason=not_configured");
    let server = Server::with().set("web.enabled", false).start().await;
    assert_eq!(failed(&server).await, "http://localhost:3000/error?reason=not_configured");
}

#[tokio::test]
async fn a_login_ends_at_the_client_unless_the_operator_has_another_page() {
    let Some(provider) = Provider::start().await else { return };
    let settings = provider.behind(Server::with()).unset("front_end_endpoint");
    let server = settings.unset("error_redirect").start().await;
    let mut ada = Browser::of(&server, &provider, "77:Ada");
    let answer = ada.tries("google").await;
    assert_eq!((answer.status, answer.header("location")), (307, "/"));
    assert_eq!(ada.is_known_as().await, ("google-77".into(), "Ada".into()));
    ada.becomes("deny");
    assert_eq!(ada.tries("google").await.header("location"), "/?reason=access_denied");
}

#[tokio::test]
async fn the_first_lines_say_what_to_open() {
    let server = Server::with().embedded().start().await;
    let line = format!("open http://127.0.0.1:{} to play", server.port());
    assert!(server.log().contains(&line), "{}", server.log());
}
