//! Metrics, as Prometheus scrapes them: from the operations port, each named in the documentation.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::server::{Server, eventually};
use crate::site::ANONYMOUS;

/// The names in the table of `docs/telemetry.md`.
fn documented() -> BTreeSet<String> {
    let table = include_str!("../../docs/telemetry.md");
    let names = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let is_kind =
        |rest: &str| ["counter |", "gauge |", "histogram |"].iter().any(|it| rest.starts_with(it));
    names.filter(|(_, rest)| is_kind(rest)).map(|(name, _)| name.to_owned()).collect()
}

/// The names of the metrics in an exposition of the format of Prometheus, those of handler modules left out.
fn exposed(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let of_modules =
        ["typephoon_cleanup_", "typephoon_lobby_", "typephoon_recorder_", "typephoon_watch_"];
    let own = |name: &str| !of_modules.iter().any(|it| name.starts_with(it));
    lines.filter(|(name, _)| own(name)).map(|(name, _)| name.to_owned()).collect()
}

#[tokio::test]
async fn a_race_shows_in_every_metric_it_touches_and_all_are_documented() {
    let server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
    anna.finishes(70.0).await;
    ben.leaves_track().close().await;
    eventually("the socket is counted as closed", async || {
        (server.counted(0, "typephoon_sockets_closed_total").await > 0).then_some(())
    })
    .await;

    let text = server.operations(0).get("/metrics", ANONYMOUS).await.text;
    assert_eq!(exposed(&text), documented());
    for sample in [
        "typephoon_events_published_total{event=\"player.joined\"} 2\n",
        "typephoon_events_published_total{event=\"race.started\"} 1\n",
        "typephoon_events_published_total{event=\"player.finished\"} 1\n",
        "typephoon_events_delivered_total{event=\"lobby.closed\"} 1\n",
        "typephoon_timers_fired_total{timer=\"race.countdown\"} ",
        "typephoon_timer_lateness_seconds_count{timer=\"race.countdown\"} 1\n",
        "typephoon_handler_duration_seconds_count{module=\"race\",event=\"lobby.closed\"} 1\n",
        "typephoon_handler_panics_total{module=\"race\",event=\"lobby.closed\"} 0\n",
        "typephoon_handler_errors_total{module=\"race\",event=\"race.countdown\"} 0\n",
        "typephoon_sockets_opened_total{channel=\"race\"} 2\n",
        "typephoon_sockets_open{channel=\"race\"} 1",
        "typephoon_sockets_closed_total{channel=\"race\",code=\"gone\"} 1\n",
        "typephoon_games_open{channel=\"race\"} 1",
        "typephoon_relay_latency_seconds_count 1\n",
        "typephoon_live_operation_duration_seconds_count{operation=\"claim_start\"} 2\n",
        "typephoon_records_operation_duration_seconds_count{operation=\"save\"} ",
        "typephoon_dependency_up{dependency=\"records\"} 1",
        "typephoon_lobby_wait_seconds_count 1\n",
        "http_server_request_duration_seconds_count{http_request_method=\"POST\",\
         http_route=\"/api/v1/game/statistics\",http_response_status_code=\"200\"} 1\n",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
         http_route=\"/api/v1/game/ws\",http_response_status_code=\"101\"} 2\n",
    ] {
        assert!(text.contains(sample), "no {sample:?} in\n{text}");
    }
    for id in [anna.id.as_str(), ben.id.as_str()] {
        assert!(!text.contains(id), "the id of a player is in a label");
    }
    #[cfg(target_os = "linux")]
    for name in ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"] {
        assert!(server.counted(0, name).await > 0 || name.contains("cpu"), "{name}");
    }
}

#[tokio::test]
async fn the_format_is_the_one_that_is_asked_for() {
    let server = Server::with().embedded().start().await;
    let site = server.operations(0);
    let answer = site.get("/metrics", ANONYMOUS).await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3";
    let answer =
        site.send(site.request(Method::GET, "/metrics", ANONYMOUS).header("accept", accept)).await;
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), openmetrics);
    assert!(answer.text.ends_with("# EOF\n"), "{answer:?}");
}

#[tokio::test]
async fn a_setting_brings_the_metrics_back_to_the_public_port() {
    let server = Server::with().embedded().set("operations.public_metrics", true).start().await;
    let answer = server.get("/metrics", ANONYMOUS).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("typephoon_players_online "), "{answer:?}");
}

#[tokio::test]
async fn the_exemplar_of_a_latency_is_the_trace_of_its_keystroke() {
    let server = Server::with()
        .embedded()
        .set("telemetry.otlp_endpoint", "http://127.0.0.1:9")
        .set("game.player_limit", 2)
        .start()
        .await;
    let [anna, mut ben] = server.race_of().await;
    let mut track = { anna }.leaves_track();
    let trace = "0af7651916cd43dd8448eb211c803100";
    let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
    track
        .send(json!({"event": "KEY_STOKE", "game_id": ben.game, "word_index": 1, "char_index": 0, "traceparent": traceparent}))
        .await;
    ben.hears("KEY_STOKE").await;
    let site = server.operations(0);
    eventually("the latency is measured", async || {
        let request = site.request(Method::GET, "/metrics", ANONYMOUS);
        let text = site.send(request.header("accept", "application/openmetrics-text")).await.text;
        let mut buckets =
            text.lines().filter(|it| it.starts_with("typephoon_relay_latency_seconds_bucket"));
        buckets.any(|line| line.contains("# {trace_id=\"")).then_some(())
    })
    .await;
}
