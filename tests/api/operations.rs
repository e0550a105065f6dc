//! The operations port: who may use it, what it shows, what it does, and that none of it is on the public port.

use reqwest::{Method, Response};
use serde_json::Value;

use crate::cluster;
use crate::raw::Raw;
use crate::server::{PATIENCE, Server, eventually};
use crate::site::{ANONYMOUS, Answer, Site};

/// Everything that is behind the token.
const GUARDED: [(&str, &str); 5] = [
    ("GET", "/metrics"),
    ("GET", "/ops/figures.json"),
    ("GET", "/ops/tail?game=1"),
    ("POST", "/ops/close"),
    ("POST", "/ops/switch"),
];

async fn ask(site: &Site, (method, path): (&str, &str), headers: &[(&str, &str)]) -> Answer {
    let method = method.parse::<Method>().expect("a method");
    let mut request = site.request(method, path, ANONYMOUS);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request).await
}

async fn close(site: &Site, form: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = site.request(Method::POST, "/ops/close", ANONYMOUS).body(form.to_owned());
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request).await
}

#[tokio::test]
async fn nothing_of_it_is_on_the_public_port() {
    let server = Server::with().embedded().start().await;
    for path in [
        "/metrics",
        "/ops",
        "/ops/page.js",
        "/ops/login",
        "/ops/modules.js",
        "/web/ops/page.js",
        "/web/ops/index.html",
    ] {
        server.get(path, ANONYMOUS).await.refused(404, "NOT_FOUND");
    }
    for request in GUARDED {
        ask(&server, request, &[]).await.refused(404, "NOT_FOUND");
    }
    let site = server.operations(0);
    assert!(site.get("/ops", ANONYMOUS).await.text.contains("<title>typephoon operations</title>"));
    assert!(
        site.get("/ops/page.js", ANONYMOUS)
            .await
            .header("content-type")
            .starts_with("text/javascript")
    );
    site.get("/healthcheck/ready", ANONYMOUS).await.ok();
    site.get("/api/v1/online", ANONYMOUS).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn with_a_token_nothing_but_the_probes_is_answered_without_it() {
    let server = Server::with().embedded().set("operations.token", "sesame-7").start().await;
    let site = server.operations(0);
    site.get("/healthcheck/alive", ANONYMOUS).await.ok();
    for request in GUARDED {
        for headers in [
            &[][..],
            &[("authorization", "Bearer sesame-8")],
            &[("cookie", "TP_OPERATIONS=sesame-7")],
        ] {
            let answer = ask(&site, request, headers).await;
            assert_eq!(
                (answer.status, answer.header("www-authenticate")),
                (401, "Bearer"),
                "{request:?}"
            );
        }
    }
    let bearer = [("authorization", "Bearer sesame-7")];
    assert_eq!(ask(&site, ("GET", "/metrics"), &bearer).await.status, 200);
    assert!(!server.log().contains("sesame"), "the token is in the log");
}

#[tokio::test]
async fn a_browser_brings_the_token_once() {
    let server = Server::with().embedded().set("operations.token", "sesame-7").start().await;
    let site = server.operations(0);
    let page = site.get("/ops", ANONYMOUS).await;
    assert_eq!(page.status, 401);
    assert!(page.text.contains("type=\"password\""), "{page:?}");
    let log_in = async |token: &str| {
        let request =
            site.request(Method::POST, "/ops/login", ANONYMOUS).body(format!("token={token}"));
        site.send(request.header("content-type", "application/x-www-form-urlencoded")).await
    };
    assert_eq!(log_in("sesame-8").await.header("set-cookie"), "");
    let answer = log_in("sesame-7").await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("sesame"), "{cookie}");
    let pair = cookie.split(';').next().expect("a cookie");
    let figures = ask(&site, ("GET", "/ops/figures.json"), &[("cookie", pair)]).await;
    assert_eq!(figures.status, 200, "{figures:?}");
}

#[tokio::test]
async fn the_body_of_an_action_has_the_bounds_of_every_body() {
    let settings = Server::with().embedded().set("limits.request_timeout", 1);
    let server = settings.set("limits.body_bytes", 300).start().await;
    let port = server.operations(0).port();
    let mut halves = Vec::new();
    for path in ["/ops/close", "/ops/drain", "/ops/switch", "/ops/login"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 400\r\n");
        let (half, whole) = (format!("{head}\r\ngame="), format!("{head}\r\n{:400}", "game=1"));
        let multipart = format!("{head}content-type: multipart/form-data; boundary=x\r\n\r\n");
        let [mut slow, mut long, mut parts] =
            [Raw::connect(port).await, Raw::connect(port).await, Raw::connect(port).await];
        long.send(whole).await.answer().await.refused(413, "PAYLOAD_TOO_LARGE");
        parts.send(multipart).await.answer().await.refused(422, "VALIDATION_ERROR");
        slow.send(half).await;
        halves.push(slow);
    }
    for mut half in halves {
        half.answer().await.refused(503, "SERVICE_UNAVAILABLE");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_opens_nothing() {
    let server = Server::with().embedded().start().await;
    for request in GUARDED {
        let answer = ask(&server.operations(0), request, &[("host", "rebound.example:9091")]).await;
        assert_eq!(answer.status, 401, "{request:?}");
    }
}

#[test]
fn a_port_beyond_this_machine_needs_a_token() {
    let outcome = Server::with().embedded().set("operations.host", "0.0.0.0").run();
    assert!(!outcome.status.success());
    assert!(outcome.stderr.contains("operations.token must be set"), "{}", outcome.stderr);
}

#[tokio::test]
async fn the_default_port_may_be_taken_but_one_that_is_set_must_be_free() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port();
    let outcome = Server::with().embedded().set("operations.port", port).run();
    assert!(!outcome.status.success());
    assert!(outcome.stderr.contains(&format!("127.0.0.1:{port}")), "{}", outcome.stderr);

    // Fails if another program of this machine has it already, which serves as well.
    let _taken = std::net::TcpListener::bind("127.0.0.1:9091");
    let second = Server::with().embedded().unset("operations.port").start().await;
    assert!(
        second.log().contains("no operations port: 9091 on 127.0.0.1 is taken"),
        "{}",
        second.log()
    );
}

#[tokio::test]
async fn the_page_has_figures_of_modules_dependencies_and_errors() {
    let server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let [mut anna, ben] = server.race_of().await;
    anna.types(1, 0).await;
    let answer = server.operations(0).get("/ops/figures.json", ANONYMOUS).await;
    let figures = answer.ok();
    let modules = figures["modules"].as_array().expect("a list");
    assert!(
        modules.iter().any(|module| module["name"] == "race" && module["last_panic"].is_null())
    );
    let records = &figures["dependencies"][0];
    assert_eq!((&records["name"], &records["away_since"]), (&"records".into(), &Value::Null));
    assert!(
        figures["errors"].is_array() && figures["pods"].as_array().is_some_and(|it| it.len() == 1)
    );
    let samples = figures["samples"].as_array().expect("a list");
    let online = samples.iter().find(|sample| sample["name"] == "typephoon_players_online");
    assert_eq!(online.expect("a sample")["value"], 2.0);
    drop(ben);
}

/// Server-sent events, as they come.
struct Tail {
    text: String,
    answer: Response,
}

impl Tail {
    async fn open(site: &Site, query: &str) -> Self {
        let request = site.request(Method::GET, &format!("/ops/tail?{query}"), ANONYMOUS);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut tail = Self { text: String::new(), answer };
        tail.until("event: open").await;
        tail
    }

    async fn until(&mut self, words: &str) {
        let reading = async {
            while !self.text.contains(words) {
                let chunk = self.answer.chunk().await.expect("a stream").expect("no end");
                self.text.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reading).await;
        in_time.unwrap_or_else(|_| panic!("no {words:?} in {}", self.text));
    }
}

#[tokio::test]
async fn a_tail_shows_the_keystrokes_of_its_player_or_game_alone() {
    let server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let [mut anna, mut ben] = server.race_of().await;
    let site = server.operations(0);
    let mut of_anna = Tail::open(&site, &format!("player={}", anna.id)).await;
    let mut of_game = Tail::open(&site, &format!("game={}", anna.game)).await;
    ben.types(1, 0).await;
    anna.types(2, 0).await;
    anna.finishes(70.0).await;
    of_anna.until("player.finished").await;
    of_game.until("player.finished").await;
    assert!(of_anna.text.contains("\"word_index\":2"), "{}", of_anna.text);
    assert!(!of_anna.text.contains("\"word_index\":1"), "{}", of_anna.text);
    assert!(of_game.text.contains("\"word_index\":1") && of_game.text.contains("\"word_index\":2"));
    site.get("/ops/tail", ANONYMOUS).await.refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn an_operator_closes_sockets_and_it_is_written_down() {
    let server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let [mut anna, mut ben] = server.race_of().await;
    let site = server.operations(0);
    let foreign = [("origin", "https://evil.example")];
    close(&site, &format!("player={}", anna.id), &foreign).await.refused(403, "ORIGIN_NOT_ALLOWED");
    close(&site, "", &[]).await.refused(422, "VALIDATION_ERROR");
    close(&site, &format!("player={}", anna.id), &[]).await.ok();
    assert_eq!(anna.leaves_track().closed().await, 4512);
    let (game, mut ben) = (ben.game, ben.leaves_track());
    ben.is_silent().await;
    close(&site, &format!("game={game}"), &[]).await.ok();
    assert_eq!(ben.closed().await, 4512);

    let answer = site.get("/ops/figures.json", ANONYMOUS).await;
    let figures = answer.ok();
    let acts: Vec<String> =
        figures["acts"].as_array().expect("a list").iter().map(Value::to_string).collect();
    assert_eq!(acts.len(), 2, "{acts:?}");
    assert!(acts[0].contains("close game") && acts[1].contains(&anna.id), "{acts:?}");
    assert!(acts[0].contains("127.0.0.1 (loopback)"), "{acts:?}");
    eventually("the log has it", async || {
        server.log().contains("audit: an operator acts").then_some(())
    })
    .await;
}

#[tokio::test]
async fn sockets_are_closed_on_whichever_pod_they_are() {
    if !cluster::is_possible().await {
        return;
    }
    let server = Server::with().set("game.player_limit", 2).on_pods(2).start().await;
    let [mut anna, mut ben] = server.race_of().await;
    close(&server.operations(0), &format!("game={}", anna.game), &[]).await.ok();
    for player in [&mut anna, &mut ben] {
        assert_eq!(player.leaves_track().closed().await, 4512);
    }
    let answer = server.operations(1).get("/ops/figures.json", ANONYMOUS).await;
    let figures = answer.ok();
    assert_eq!(figures["pods"].as_array().map(Vec::len), Some(2), "{}", figures["pods"]);
    assert_eq!(figures["acts"].as_array().map(Vec::len), Some(1));
}
