//! Dashboards, recording rules and alerts of `otel/`, against a Prometheus that scrapes two pods under load: every query
//! is understood, every series that it names exists, and every panel shows something.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sqlx::Connection;

use crate::cluster;
use crate::device::Device;
use crate::pods::race_on;
use crate::prometheus::Prometheus;
use crate::server::{PATIENCE, Server, within};

const DASHBOARDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/otel/grafana/dashboards");
/// Keywords that a list of labels follows.
const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Other words of PromQL that are neither functions nor series.
const OPERATORS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

/// A query, and where it stands.
struct Query {
    place: String,
    text: String,
}

/// The queries to Prometheus in all dashboards: those of panels, and those that list the values of variables.
fn queries_of_dashboards() -> Vec<Query> {
    let mut queries = Vec::new();
    for entry in fs::read_dir(DASHBOARDS).expect("the folder of dashboards") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|it| it == "json") {
            queries.extend(queries_of(&path));
        }
    }
    assert!(queries.len() > 80, "only {} queries", queries.len());
    queries
}

fn queries_of(path: &Path) -> Vec<Query> {
    let text = fs::read_to_string(path).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let query = |place: &Value, text: &str| Query {
        place: format!("{}, {place}", dashboard["title"]),
        text: filled(text),
    };
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let targets = panel["targets"].as_array().into_iter().flatten();
        let of_metrics = targets.filter(|it| it["datasource"]["type"] == "prometheus");
        queries.extend(
            of_metrics.map(|it| query(&panel["title"], it["expr"].as_str().expect("a query"))),
        );
    }
    for variable in dashboard["templating"]["list"].as_array().expect("variables") {
        let Some(values) = variable["definition"].as_str() else { continue };
        let inner = values.strip_prefix("label_values(").and_then(|it| it.strip_suffix(')'));
        let (series, label) = inner.and_then(|it| it.rsplit_once(", ")).expect("label_values");
        let labelled = series.replace('}', &format!(",{label}!=\"\"}}"));
        queries.push(query(&variable["name"], &format!("group by ({label}) ({labelled})")));
    }
    queries
}

/// What Grafana sends with everything chosen.
fn filled(query: &str) -> String {
    let variables =
        [("$__rate_interval", "1m"), ("$job", "typephoon-api"), ("$pod", ".*"), ("$module", ".+")];
    let filled =
        variables.iter().fold(query.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!filled.contains('$'), "an unknown variable in {filled}");
    filled
}

/// The series that a query names, each with its labels.
fn selectors(query: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), query);
    let of_word = |c: char| c.is_ascii_alphanumeric() || "_:.".contains(c);
    while let Some(start) = rest.find(of_word) {
        let tail = &rest[start..];
        let (word, after) = tail.split_at(tail.find(|c| !of_word(c)).unwrap_or(tail.len()));
        rest = after.trim_start();
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let is_function = ["(", "by ", "without "].iter().any(|it| rest.starts_with(it));
        if GROUPING.contains(&word) {
            rest = rest.split_once(')').expect("labels in brackets").1;
        } else if let Some(labels) = rest.strip_prefix('{') {
            let (labels, behind) = labels.split_once('}').expect("labels in braces");
            found.push(format!("{word}{{{labels}}}"));
            rest = behind;
        } else if !(is_number || is_function || OPERATORS.contains(&word)) {
            found.push(word.to_owned());
        }
    }
    found
}

#[test]
fn the_series_of_a_query_are_found() {
    let query = "histogram_quantile(0.99, sum by (pod, le) (rate(a_bucket{x=\"1\",y=~\"5..\"}[5m]))) > 0.5 \
                 and on (pod) b:c unless sum(d offset 5m) by (pod) == bool 0";
    assert_eq!(selectors(query), ["a_bucket{x=\"1\",y=~\"5..\"}", "b:c", "d"]);
}

/// Three players on two pods type, one with a trace, finish and leave; an account looks at its profile, and once more when
/// the table is gone.
async fn play(server: &Server) {
    let device = Device::of_new_account(&server.site().at(0), "Ada").await;
    let [mut anna, mut ben, mut cleo] = race_on(server, [0, 1, 0]).await;
    for word in 0..20 {
        anna.types(word, 0).await;
        ben.sees(&anna, word, 0).await;
        cleo.sees(&anna, word, 0).await;
    }
    let traceparent = "00-0af7651916cd43dd8448eb211c803100-b7ad6b7169203331-01";
    let traced = json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": 21, "char_index": 0, "traceparent": traceparent});
    anna.track().send(traced).await;
    cleo.hears("KEY_STOKE").await;
    for player in [&mut anna, &mut ben, &mut cleo] {
        player.finishes(70.0).await;
        player.leaves_track().close().await;
    }
    let path = "/api/v1/profile/statistics";
    server.get(path, &device).await.ok();
    let [(_, url), ..] = server.common().settings();
    let mut database = sqlx::PgConnection::connect(&url).await.expect("the test's own database");
    sqlx::query("alter table game_results rename to gone")
        .execute(&mut database)
        .await
        .expect("a table");
    assert!(server.get(path, &device).await.status >= 500);
}

#[tokio::test]
async fn every_query_of_dashboards_and_rules_finds_its_series_on_two_pods() {
    if !cluster::is_possible().await {
        return;
    }
    let settings = Server::with()
        .set("game.player_limit", 3)
        // As otel/prometheus.yaml has it.
        .set("operations.token", "compose")
        .set("telemetry.otlp_endpoint", "http://127.0.0.1:9");
    let server = settings.on_pods(2).start().await;
    let Some(prometheus) = Prometheus::watching(&server, 2).await else { return };
    play(&server).await;

    let (rules, panels) = (rules(&prometheus).await, queries_of_dashboards());
    let mut known = BTreeSet::new();
    for query in rules.iter().chain(&panels) {
        for selector in selectors(&query.text) {
            if known.insert(selector.clone()) {
                shows(&prometheus, &Query { place: query.place.clone(), text: selector }).await;
            }
        }
    }
    for panel in &panels {
        shows(&prometheus, panel).await;
    }
    let exemplars = [
        ("query", "typephoon_relay_latency_seconds_bucket"),
        ("start", "0"),
        ("end", "9999999999"),
    ];
    within(PATIENCE, "the trace of a keystroke is an exemplar", async || {
        let found = prometheus.asks("query_exemplars", &exemplars).await.expect("exemplars");
        found.to_string().contains("\"trace_id\":").then_some(())
    })
    .await;
}

/// The queries of all rules, which Prometheus evaluates without an error.
async fn rules(prometheus: &Prometheus) -> Vec<Query> {
    within(PATIENCE, "every rule has been evaluated", async || {
        let answer = prometheus.asks("rules", &[]).await.expect("rules");
        let groups = answer["groups"].as_array().expect("groups");
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("rules"));
        let rules: Vec<&Value> = rules.collect();
        let failed = rules.iter().find(|rule| rule["health"] == "err");
        assert!(failed.is_none(), "{failed:?}");
        assert!(rules.len() > 20, "only {} rules", rules.len());
        if rules.iter().any(|rule| rule["health"] != "ok") {
            return None;
        }
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Some(
            rules
                .iter()
                .map(|rule| Query { place: text(&rule["name"]), text: text(&rule["query"]) })
                .collect(),
        )
    })
    .await
}

/// Prometheus understands the query, and has data for it once it has scraped what happened.
async fn shows(prometheus: &Prometheus, query: &Query) {
    let Query { place, text } = query;
    within(PATIENCE, &format!("{place}: nothing for {text}"), async || {
        let answer = prometheus.asks("query", &[("query", text)]).await;
        let answer = answer.unwrap_or_else(|error| panic!("{place}: {text}: {error}"));
        answer["result"].as_array().is_some_and(|it| !it.is_empty()).then_some(())
    })
    .await;
}
