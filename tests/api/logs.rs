//! The log: its form, its bound, the ids of traces in it, and its way to a collector.

use serde_json::Value;

use crate::collector::{Collector, Manner};
use crate::server::{Server, eventually};
use crate::site::ANONYMOUS;

/// A login that fails, which a client can have as often as it likes.
const FAILS: &str = "/api/v1/auth/google/login-redirect?code=0&state=0";

#[tokio::test]
async fn beyond_a_terminal_every_line_is_a_json_object_of_the_documented_shape() {
    let mut server = Server::with().embedded().start().await;
    let _anna = server.guest().await;
    server.terminate().await;
    let log = server.log();
    assert!(log.lines().count() > 5, "{log}");
    for line in log.lines() {
        let read: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        for name in ["timestamp", "level", "target", "message"] {
            assert!(read[name].is_string(), "no {name} in {line}");
        }
    }
    let pretty = Server::with().embedded().set("log.format", "pretty").start().await;
    assert!(pretty.log().contains("  INFO listening on http://127.0.0.1:"), "{}", pretty.log());
    let outcome = Server::with().embedded().set("log.format", "yaml").run();
    assert!(outcome.stderr.contains("auto, pretty or json is wanted"), "{}", outcome.stderr);
    let outcome = Server::with().embedded().set("log.otlp", true).run();
    assert!(outcome.stderr.contains("telemetry.otlp_endpoint"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_line_has_the_ids_of_its_trace_here_and_at_the_collector() {
    let collector = Collector::start(Manner::Takes).await;
    let mut server = Server::with()
        .embedded()
        .set("telemetry.otlp_endpoint", &collector.address)
        .set("log.otlp", true)
        .start()
        .await;
    let trace = "0af7651916cd43dd8448eb211c803100";
    let request = server.request(reqwest::Method::GET, FAILS, ANONYMOUS);
    server.send(request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))).await;
    let line = eventually("the failure is logged", async || {
        let log = server.log();
        log.lines().find(|line| line.contains("a login failed")).map(ToOwned::to_owned)
    })
    .await;
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line["trace_id"], trace);
    assert_eq!(line["span_id"].as_str().map(str::len), Some(16), "{line}");
    assert!(line["reason"].is_string(), "{line}");
    server.terminate().await;
    let log = collector.log();
    for words in ["a login failed", "listening on http://"] {
        assert!(log.contains(words), "no {words:?} at the collector");
    }
}

#[tokio::test]
async fn a_client_cannot_fill_the_log() {
    let server = Server::with().embedded().start().await;
    for _ in 0..30 {
        server.get(FAILS, ANONYMOUS).await;
    }
    assert_eq!(server.counted(0, "typephoon_log_lines_left_out_total").await, 10);
    assert_eq!(server.log().matches("a login failed").count(), 20);
}
