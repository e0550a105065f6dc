//! Checks the house style: reads the sources, and reports every violation of a rule.
//!
//! The sources are formatted by rustfmt, so lines and their indentation are enough. `scan` reads the sources, `rules`
//! has the rules: each a function from one file to its complaints. `layers` has the rule of what is above what.

mod layers;
mod rules;
mod scan;

use std::collections::BTreeMap;

use self::scan::Source;

#[test]
fn every_source_keeps_the_rules_of_the_house() {
    let sources = scan::all();
    assert!(sources.len() > 50, "the sources are not where they are looked for");
    let complaints: Vec<String> =
        sources.iter().flat_map(|source| rules::ALL.iter().flat_map(|rule| rule(source))).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// A name means one thing, so that a search for it finds that.
#[test]
fn no_two_types_have_the_same_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in scan::all() {
        for (line, code) in source.code(false) {
            if let Some(name) = rules::declared_type(&code) {
                places.entry(name.to_owned()).or_default().push(format!("{}:{line}", source.path));
            }
        }
    }
    assert!(places.len() > 500, "the types are not where they are looked for");
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "several types of the same name: {places:#?}");
}

#[test]
fn every_test_and_every_bench_has_a_plain_name() {
    let sources = scan::within(&["tests", "benches", "fuzz/fuzz_targets", "docs/examples"]);
    let complaints: Vec<String> = sources.iter().flat_map(rules::has_plain_names).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The version of Cargo.toml is that of the chart, of the image, and of the changelog's newest section.
#[test]
fn one_version_is_named_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    let chart = include_str!("../deploy/chart/Chart.yaml");
    let changelog = include_str!("../CHANGELOG.md");
    for (file, text, line) in [
        ("deploy/chart/Chart.yaml", chart, format!("version: {version}")),
        ("deploy/chart/Chart.yaml", chart, format!("appVersion: \"{version}\"")),
        ("Dockerfile", include_str!("../Dockerfile"), format!("ARG VERSION={version}")),
        ("CHANGELOG.md", changelog, "## Unreleased".to_owned()),
    ] {
        assert!(text.lines().any(|it| it == line), "{file} has no line {line:?}");
    }
    let newest = changelog.lines().filter(|line| line.starts_with("## ")).nth(1);
    let newest = newest.and_then(|line| line.strip_prefix(&format!("## {version} — ")));
    assert!(newest.is_some_and(|date| date.len() == "2026-11-26".len()), "a section of {version}");
}

/// Terms that a reader has to know before the code. More belong into the documents of features.
const TERMS: usize = 40;

/// The rows of the tables under `## Glossary`, each with its cells.
fn glossary(architecture: &str) -> Vec<(Vec<&str>, &str)> {
    let section = architecture.split("\n## ").find(|it| it.starts_with("Glossary\n"));
    let rows = section.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.strip_suffix(" |")?.split_once(" | "));
    let cells = cells.filter(|(term, _)| !matches!(*term, "term" | "terms"));
    cells.map(|(terms, meaning)| (terms.split(", ").collect(), meaning)).collect()
}

#[test]
fn the_glossary_is_short_and_each_other_term_is_defined_in_its_document() {
    let architecture = include_str!("../ARCHITECTURE.md");
    let rows = glossary(architecture);
    let (of_features, general): (Vec<_>, Vec<_>) =
        rows.iter().partition(|(_, meaning)| meaning.contains("]("));
    let count = general.iter().map(|(terms, _)| terms.len()).sum::<usize>();
    assert!((20..=TERMS).contains(&count), "{count} terms");
    let mut all: Vec<&str> = rows.iter().flat_map(|(terms, _)| terms.clone()).collect();
    let listed = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), listed, "a term stands twice");
    assert!(!of_features.is_empty(), "no terms of features");
    for (terms, documents) in of_features {
        let links = documents.split("](").skip(1).filter_map(|it| it.split([')', '#']).next());
        let texts: String = links.map(|path| document(path, architecture)).collect();
        for term in terms {
            assert!(texts.contains(&format!("**{term}")), "{documents} does not define {term}");
        }
    }
}

/// The text of a linked document; the link to a section of the same one has no path.
fn document(path: &str, same: &str) -> String {
    if path.is_empty() {
        return same.to_owned();
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).expect("a document that is there")
}

/// All complaints about a file with this text.
fn complaints(path: &str, text: &str) -> Vec<String> {
    let source = Source::of(path, text);
    rules::ALL.iter().flat_map(|rule| rule(&source)).collect()
}

/// Checks that the file has exactly one fault, in that line.
#[track_caller]
fn refused(path: &str, text: &str, complaint: &str) {
    assert_eq!(complaints(path, text), [complaint]);
}

#[track_caller]
fn accepted(path: &str, text: &str) {
    assert_eq!(complaints(path, text), Vec::<String>::new());
}

#[test]
fn the_runtime_names_no_handler_module() {
    let complaint = "src/a.rs:3: the runtime names a handler module";
    refused("src/a.rs", "//! A.\n\nuse crate::handlers::chat::Chat;\n", complaint);
    refused("src/a.rs", "//! A.\n\nuse crate::handlers::{chat, help};\n", complaint);
    accepted("src/a.rs", "//! A.\n\nlet names = crate::handlers::ENTRIES;\n");
    accepted("src/a.rs", "//! A.\n\n// `handlers::chat` comes from handlers/chat.rs.\n");
    let in_a_test = "//! A.\n\n#[cfg(test)]\nmod tests {\n    use crate::handlers::chat;\n}\n";
    accepted("src/a.rs", in_a_test);
}

#[test]
fn the_centre_knows_no_feature() {
    let complaint = "src/live/a.rs:2: the centre knows of words";
    refused("src/live/a.rs", "//! A.\nlet it = game.words;\n", complaint);
    accepted("src/live/a.rs", "//! A.\n// Its words are a part.\nlet it = in_words();\n");
    accepted("src/telemetry/a.rs", "//! A.\nlet it = text.words();\n");
    accepted("handlers/a.rs", "//! A.\nlet it = game.words;\n");
}

#[test]
fn no_handler_module_names_another() {
    // One that is there, whichever.
    let Some(other) = crate::handlers::ENTRIES.first() else { return };
    let complaint = format!("handlers/chat.rs:2: names the handler module {other}");
    refused(
        "handlers/chat.rs",
        &format!("//! Chat.\nuse crate::handlers::{other}::A;\n"),
        &complaint,
    );
    refused("handlers/chat.rs", &format!("//! Chat.\nuse super::{other}::A;\n"), &complaint);
    let own = format!("//! Own.\nuse crate::handlers::{other}::A;\nuse super::rules;\n");
    accepted(&format!("handlers/{other}/wire.rs"), &own);
    accepted(&format!("handlers/{other}.rs"), &own);
    let longer = format!("//! Chat.\nuse super::{other}_of_ours::A;\n");
    accepted("handlers/chat.rs", &longer);
}

#[test]
fn every_source_is_in_a_layer_and_uses_none_above() {
    let roots = ["src/lib.rs", "src/main.rs", "src/testing.rs", "src/fuzzing.rs", "src/tidy.rs"];
    let is_in_a_layer = |path: &str| layers::layer_of(&layers::module_of(path)).is_some();
    for Source { path, .. } in scan::all() {
        let outside = ["handlers/", "src/tidy/", "src/testing/"];
        let is_outside = outside.iter().any(|folder| path.starts_with(folder));
        assert!(is_outside || roots.contains(&&*path) || is_in_a_layer(&path), "{path}");
    }
    let architecture = include_str!("../ARCHITECTURE.md");
    for layer in layers::LAYERS {
        let is_drawn = architecture.lines().any(|line| {
            let (_, names) = line.split_once("│ ").unwrap_or_default();
            names.split_whitespace().any(|name| name == layer)
        });
        assert!(is_drawn, "ARCHITECTURE.md does not draw {layer}");
    }
    let above = |used: &str| format!("src/bus/lane.rs:2: uses {used}, which is above bus");
    for (line, used) in [
        ("use crate::socket::Rooms;", "socket"),
        ("let rooms = crate::socket::rooms::Rooms::default();", "socket/rooms"),
        ("use super::super::module::context::{Cx, Switch};", "module/context"),
    ] {
        refused("src/bus/lane.rs", &format!("//! A.\n{line}\n"), &above(used));
    }
    let below = "//! A.\nuse crate::game::GameId;\nuse super::fence::fence;\npub(in crate::http) fn a() {}\n";
    accepted("src/bus/lane.rs", below);
    accepted("src/game/events.rs", "//! A.\nuse crate::bus::Event;\n");
    accepted("src/socket/rooms/room.rs", "//! A.\nuse super::frame::Frame;\n");
    let upwards = "src/socket/rooms/room.rs:2: uses socket, which is above socket/rooms";
    refused("src/socket/rooms/room.rs", "//! A.\nuse super::super::Socket;\n", upwards);
}

#[test]
fn a_driver_is_named_in_its_room_alone() {
    for (driver, line, room) in [
        ("lapin", "use lapin::Connection;", "src/bridge/mod.rs"),
        ("redis", "fn f(it: ::redis::Client) {}", "src/live/redis.rs"),
        ("sqlx", "sqlx::query(\"select 1\");", "src/records/store.rs"),
        ("tokio_tungstenite", "use tokio_tungstenite as ws;", "src/socket/upgrade.rs"),
        ("opentelemetry_otlp", "use opentelemetry_otlp::Protocol;", "src/telemetry/export.rs"),
        ("prometheus_client", "use prometheus_client::registry::Registry;", "src/telemetry/a.rs"),
        ("tracing_opentelemetry", "use {tracing_opentelemetry::layer};", "src/telemetry/a.rs"),
    ] {
        let text = format!("//! A.\n{line}\n");
        accepted(room, &text);
        refused("src/a.rs", &text, &format!("src/a.rs:2: {driver} belongs into its own room"));
        let elsewhere = format!("handlers/chat.rs:2: {driver} belongs into its own room");
        refused("handlers/chat.rs", &text, &elsewhere);
    }
    accepted("src/a.rs", "//! A.\nlet redis = settings.redis;\nlet text = \"info,sqlx=warn\";\n");
}

#[test]
fn every_file_says_what_it_is() {
    refused("src/a.rs", "use std::fmt;\n", "src/a.rs:1: does not open with //!");
    refused("handlers/a.rs", "", "handlers/a.rs:1: does not open with //!");
}

#[test]
fn no_file_is_too_long() {
    let long = |lines: usize| format!("//! A.\n{}", "const A: u8 = 1;\n".repeat(lines - 1));
    accepted("src/a.rs", &long(400));
    refused("src/a.rs", &long(401), "src/a.rs:401: is longer than 400 lines");
}

#[test]
fn no_function_is_too_long() {
    let body = |lines| "        work();\n".repeat(lines);
    let method =
        |lines| format!("//! A.\nimpl A {{\n    pub fn a() {{\n{}    }}\n}}\n", body(lines));
    accepted("src/a.rs", &method(58));
    refused("src/a.rs", &method(59), "src/a.rs:3: a function of 61 lines");
    let signature = "pub(crate) async fn a(\n    b: B,\n) -> C\nwhere\n    D: E,\n{";
    let function = |lines| format!("//! A.\n{signature}\n{}}}\n", body(lines));
    accepted("src/a.rs", &function(53));
    refused("src/a.rs", &function(54), "src/a.rs:2: a function of 61 lines");
    let declared = format!(
        "//! A.\ntrait A {{\n    fn a(&self);\n    fn b(&self)\n    -> B;\n}}\n{}",
        body(70)
    );
    accepted("src/a.rs", &declared);
}

#[test]
fn comments_texts_and_names_say_who_is_meant() {
    let fault = |word| format!("src/a.rs:2: {word} leaves open who is meant");
    for (line, word) in [
        ("// Whoever comes, waits.", "whoever"),
        ("let text = \"nobody is there\";", "nobody"),
        ("fn nobody_is_lost() {}", "nobody_is_lost"),
        ("async fn who_answers_lives() {}", "who_answers_lives"),
    ] {
        refused("src/a.rs", &format!("//! A.\n{line}\n"), &fault(word));
    }
    accepted("src/a.rs", "//! A player who waits.\nfn a_player_who_waits_is_told() {}\n");
}

#[test]
fn every_task_has_an_end_every_queue_a_bound_and_every_failure_a_name() {
    for (line, fault) in [
        ("tokio::spawn(work());", "tokio::spawn( has no place here: tasks belong to a tracker"),
        (
            "let q = mpsc::unbounded_channel();",
            "unbounded_channel has no place here: queues are bounded",
        ),
        (
            "let a = b.unwrap();",
            ".unwrap() has no place here: say why it cannot fail, or return it",
        ),
    ] {
        refused("src/a.rs", &format!("//! A.\n{line}\n"), &format!("src/a.rs:2: {fault}"));
        accepted("src/a/tests.rs", &format!("//! A.\n{line}\n"));
        accepted("src/a/tests/b.rs", &format!("//! A.\n{line}\n"));
        let method = format!("//! A.\n    #[cfg(test)]\n    fn a() {{\n        {line}\n    }}\n");
        accepted("src/a.rs", &method);
        let after = format!("//! A.\n#[cfg(test)]\nmod tests;\n{line}\n");
        refused("src/a.rs", &after, &format!("src/a.rs:4: {fault}"));
    }
}
