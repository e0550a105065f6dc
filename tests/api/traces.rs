//! Traces over OTLP, as a collector gets them: across pods, and into the table of `docs/telemetry.md`. Tests with two pods
//! are skipped without the services, unless `REQUIRE_SERVICES` is set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::cluster;
use crate::collector::{Collector, Manner, Span};
use crate::persona::Player;
use crate::pods::race_on;
use crate::server::{Server, time_passes};
use crate::site::ANONYMOUS;

const TRACE: &str = "0af7651916cd43dd8448eb211c803100";
const PARENT: &str = "b7ad6b7169203331";

/// What a client says that takes part in a trace.
fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

/// Types a position that belongs to a trace.
async fn types_traced(player: &mut Player, word: i64, char: i64) {
    let game = player.game;
    let frame = json!({"event": "KEY_STOKE", "game_id": game, "word_index": word, "char_index": char,
        "traceparent": traceparent("01")});
    player.track().send(frame).await;
}

/// Two pods, whose lobbies are full with two players, that sample no keystroke by themselves.
async fn two_pods(collector: &Collector) -> Option<Server> {
    if !cluster::is_possible().await {
        return None;
    }
    let settings =
        Server::with().on_pods(2).set("game.player_limit", 2).set("telemetry.keystroke_sample", 0);
    Some(collector.watch(settings, 2).start().await)
}

/// The spans of a keystroke, as the walkthrough in `ARCHITECTURE.md` names them.
fn walkthrough() -> Vec<&'static str> {
    let text = include_str!("../../ARCHITECTURE.md");
    let (_, line) = text.split_once("In a trace:").expect("the walkthrough of a keystroke");
    let (line, _) = line.split_once(".\n\n").expect("the end of a paragraph");
    line.split('`').skip(1).step_by(2).collect()
}

#[tokio::test]
async fn a_keystroke_and_a_countdown_are_followed_across_pods_and_every_span_is_documented() {
    let collector = Collector::start(Manner::Takes).await;
    let Some(server) = two_pods(&collector).await else { return };
    let [mut anna, mut ben] = race_on(&server, [0, 1]).await;

    // One key with a trace, and one without.
    types_traced(&mut anna, 1, 0).await;
    ben.sees(&anna, 1, 0).await;
    anna.types(1, 1).await;
    ben.sees(&anna, 1, 1).await;
    let names = walkthrough();
    let key = collector.chain(&names, |it| it.trace == TRACE).await;
    assert_eq!((&*key[0].parent, &*key[0].pod), (PARENT, "pod-0"), "{key:?}");
    assert_eq!(key[0].get("typephoon.module"), "race");
    let direct =
        |pair: &[Span]| pair[1].parent == pair[0].id || pair[1].links.contains(&pair[0].id);
    assert!(key.windows(2).all(direct), "{key:?}");
    let last = key.last().expect("the write");
    assert_eq!((&*last.pod, last.get("typephoon.channel")), ("pod-1", "race"), "{last:?}");
    let frames = collector.spans().iter().filter(|it| it.name == "receive KEY_STOKE").count();
    assert_eq!(frames, 1, "a key without a traceparent has a span");

    // From the arming of the lobby's countdown to START at a player of each pod.
    let armed_to_start = [
        "open lobby socket",
        "send typephoon.wait.{delay}.timers.v1",
        "receive typephoon.work:timers.v1",
        "process lobby.countdown",
        "process race.countdown",
        "publish race.started",
        "catch up race socket",
        "write START",
    ];
    collector.chain(&armed_to_start, |_| true).await;
    for pod in ["pod-0", "pod-1"] {
        collector
            .until("START is written on both pods", |spans| {
                spans.iter().find(|it| it.name == "write START" && it.pod == pod).map(drop)
            })
            .await;
    }
    let settled = |spans: &[Span]| {
        let acks = |it: &&Span| it.name == "ack typephoon.work:timers.v1";
        spans
            .iter()
            .find(acks)
            .filter(|it| it.get("messaging.operation.type") == "settle")
            .map(drop)
    };
    collector.until("a timer's message is settled", settled).await;

    a_slow_delivery_and_a_failure_have_spans_of_their_own(&server, &collector, anna, ben).await;
    drop(server);
    is_documented(&collector.spans());
}

/// A key that comes late to the other pod, and a frame that is none: unsampled, both of them.
async fn a_slow_delivery_and_a_failure_have_spans_of_their_own(
    server: &Server,
    collector: &Collector,
    mut anna: Player,
    mut ben: Player,
) {
    let slow = a_slow_delivery(server, collector, &mut anna, &mut ben).await;
    assert_eq!((&*slow.pod, slow.get("typephoon.slow")), ("pod-1", "true"), "{slow:?}");
    assert!(slow.took > Duration::from_millis(250), "{slow:?}");
    let nonsense = json!({"event": "NONSENSE", "game_id": anna.game});
    anna.track().say(Message::text(nonsense.to_string())).await;
    anna.leaves_track().close().await;
    ben.leaves_track().close().await;
    let closed = |spans: &[Span]| {
        let names: BTreeSet<_> = spans.iter().map(|it| it.name.as_str()).collect();
        ["receive malformed frame", "close race socket"]
            .iter()
            .all(|it| names.contains(it))
            .then_some(())
    };
    collector.until("the malformed frame and the closed socket have spans", closed).await;
    let spans = collector.spans();
    assert!(spans.iter().all(|it| it.failed == it.attributes.contains_key("error.type")));
}

/// The span of a position that came late. One that comes with the positions that the other pod asks for has no age: then the
/// next one is tried.
async fn a_slow_delivery(
    server: &Server,
    collector: &Collector,
    anna: &mut Player,
    ben: &mut Player,
) -> Span {
    for word in 2..5 {
        // The age of the position counts from its arrival at the first pod, which may be late itself on a busy machine.
        server.signal(1, Signal::STOP);
        anna.types(word, 0).await;
        time_passes(Duration::from_millis(1_500)).await;
        server.signal(1, Signal::CONT);
        ben.sees(anna, word, 0).await;
        for _ in 0..50 {
            let slow = collector.spans().into_iter().find(|it| it.name == "relay KEY_STOKE");
            if let Some(slow) = slow {
                return slow;
            }
            time_passes(Duration::from_millis(100)).await;
        }
    }
    panic!("no slow delivery has a span")
}

/// A row of the table: the name, its kinds, the attributes that it always has, and those that it may have.
#[derive(Debug)]
struct Row {
    name: &'static str,
    kinds: Vec<&'static str>,
    always: Vec<&'static str>,
    sometimes: Vec<&'static str>,
}

fn table() -> Vec<Row> {
    let text = include_str!("../../docs/telemetry.md");
    let (_, table) = text.split_once("| span | kind |").expect("the table of spans");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let code = |cell: &'static str| cell.split('`').skip(1).step_by(2).collect::<Vec<_>>();
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let &[_, name, kinds, always, sometimes, ..] = cells.as_slice() else { panic!("{line}") };
        let kinds = kinds.split(", ").collect();
        Row {
            name: name.trim_matches('`'),
            kinds,
            always: code(always),
            sometimes: code(sometimes),
        }
    };
    lines.map(row).collect()
}

impl Row {
    fn is_of(&self, span: &Span) -> bool {
        if !self.kinds.iter().any(|kind| *kind == span.kind) {
            return false;
        }
        let (wanted, given): (Vec<_>, Vec<_>) =
            (self.name.split(' ').collect(), span.name.split(' ').collect());
        let optional = wanted.iter().filter(|it| it.ends_with("}?")).count();
        (given.len() <= wanted.len() && given.len() + optional >= wanted.len())
            && wanted.iter().zip(given).all(|(wanted, given)| fits(wanted, given))
    }
}

/// Whether a word of a span's name is what the table says there.
fn fits(wanted: &str, given: &str) -> bool {
    let all = |is: fn(char) -> bool| given.chars().all(is);
    match wanted.trim_end_matches('?') {
        "{METHOD}" => all(|c| c.is_ascii_uppercase()),
        "{route}" => given.starts_with('/'),
        "{channel}" => matches!(given, "lobby" | "race"),
        "{FRAME}" => all(|c| c.is_ascii_uppercase() || c == '_'),
        "{event}" => given.contains('.') && !given.starts_with("typephoon"),
        "{destination}" => given.starts_with("typephoon."),
        "{operation}" | "{table}" => all(|c| c.is_ascii_lowercase() || c == '_'),
        "{statement}" => {
            matches!(given, "select" | "insert" | "update" | "delete" | "begin" | "commit")
        }
        wanted => wanted == given,
    }
}

/// Every span stands in the table with its attributes, and every row of the table is the row of a span.
fn is_documented(spans: &[Span]) {
    let table = table();
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for span in spans {
        let row = table.iter().find(|row| row.is_of(span));
        let row = row.unwrap_or_else(|| panic!("not in docs/telemetry.md: {span:?}"));
        let attributes: BTreeSet<&str> = span.attributes.keys().map(String::as_str).collect();
        for always in &row.always {
            assert!(attributes.contains(always), "no {always} in {span:?}");
        }
        let known = |it: &&&str| row.always.contains(*it) || row.sometimes.contains(*it);
        let unknown: Vec<_> = attributes.iter().filter(|it| !known(it)).collect();
        assert!(
            unknown.is_empty(),
            "{unknown:?} is not in docs/telemetry.md for {}: {span:?}",
            row.name
        );
        seen.entry(row.name).or_default().extend(attributes);
    }
    for row in &table {
        assert!(seen.contains_key(row.name), "no span of this race is a {:?}", row.name);
    }
}

#[tokio::test]
async fn a_race_on_one_server_is_followed_from_the_request_to_the_statement() {
    let collector = Collector::start(Manner::Takes).await;
    let settings = Server::with().embedded().set("game.player_limit", 2);
    let settings =
        settings.set("telemetry.keystroke_sample", 1).variable_on(0, "SERVER_NAME", "sole");
    let server = collector.watch(settings, 1).start().await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
    anna.finishes(70.0).await;

    let countdown = ["open lobby socket", "process lobby.countdown", "process race.countdown"];
    collector.chain(&countdown, |it| it.pod == "sole").await;
    let key = ["receive KEY_STOKE", "publish player.moved", "write KEY_STOKE"];
    collector.chain(&key, |it| it.parent.is_empty()).await;
    let result = ["POST /api/v1/game/statistics", "live finish", "records save", "insert games"];
    let result = collector.chain(&result, |_| true).await;
    let [.., live, save, insert] = &result[..] else { panic!("{result:?}") };
    assert_eq!((live.get("db.system.name"), live.get("db.operation.name")), ("memory", "finish"));
    assert_ne!(live.trace, save.trace, "the journal writes for many");
    for (name, value) in [
        ("db.system.name", "sqlite"),
        ("db.operation.name", "insert"),
        ("db.collection.name", "games"),
    ] {
        assert_eq!(insert.get(name), value, "{insert:?}");
    }
    assert!(insert.get("db.query.text").contains("values ($1, $2"), "{insert:?}");
    drop(server);
}

#[tokio::test]
async fn an_error_answer_tells_the_trace_that_its_client_has_begun() {
    let collector = Collector::start(Manner::Takes).await;
    let settings = collector.watch(Server::with().embedded(), 1);
    let server = settings.start().await;
    let ask = async |path: &str, flags: &str| {
        let request = server.request(reqwest::Method::GET, path, ANONYMOUS);
        server.send(request.header("traceparent", traceparent(flags))).await
    };
    for (path, status, code) in [
        ("/api/v1/auth/guest-token?key=a-secret-key", 400, "KEY_NOT_FOUND"),
        ("/api/v1/recordings/a-secret-link", 404, "GAME_NOT_FOUND"),
        ("/api/v1/nowhere", 404, "NOT_FOUND"),
    ] {
        let answer = ask(path, "01").await;
        answer.refused(status, code);
        assert_eq!(answer.header("x-trace-id"), TRACE, "{answer:?}");
        assert_eq!(answer.body["error"]["trace_id"], TRACE, "{answer:?}");
    }
    let unasked = server.get("/api/v1/auth/guest-token?key=none", ANONYMOUS).await;
    assert_eq!(unasked.header("x-trace-id").len(), TRACE.len(), "one of the server's own");
    assert!(ask("/api/v1/online", "00").await.ok().get("error").is_none());
    assert_eq!(
        ask("/api/v1/online", "01").await.header("x-trace-id"),
        "",
        "only where it went wrong"
    );

    let name = "GET /api/v1/online";
    let wanted = |spans: &[Span]| spans.iter().find(|it| it.name == name).cloned();
    let span = collector.until("a request has a span", wanted).await;
    assert_eq!((&*span.trace, &*span.parent, &*span.kind), (TRACE, PARENT, "server"));
    assert_eq!(span.get("http.response.status_code"), "200");
    let spans = collector.spans();
    let asked = spans.iter().filter(|it| it.name == name && it.trace == TRACE).count();
    assert_eq!(asked, 1, "a client that wants no spans of its trace gets none");
    let secret = spans.iter().find(|it| format!("{it:?}").contains("a-secret"));
    assert!(secret.is_none(), "a query, or a parameter of a path, is in {secret:?}");
}

/// Spans of so many keystrokes are more than may wait for a collector.
const KEYS: i64 = 3_000;

#[tokio::test]
async fn a_collector_that_refuses_hangs_or_is_slow_slows_no_race_and_fills_no_memory() {
    let manners = [Manner::Refuses, Manner::Hangs, Manner::IsSlow];
    join_all(manners.map(async |manner| {
        let collector = Collector::start(manner).await;
        let settings = Server::with().embedded().set("game.player_limit", 2);
        let settings = settings.set("telemetry.keystroke_sample", 1);
        let server = collector.watch(settings, 1).start().await;
        let [mut anna, mut ben] = server.race_of().await;
        let flood = async |anna: &mut Player, ben: &mut Player| {
            let strokes = (0..KEYS).map(|key| {
                let (word, char) = (key / 2 % 20, key % 2);
                json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": word, "char_index": char})
            });
            let strokes: Vec<_> = strokes.map(|it| Message::text(it.to_string())).collect();
            assert!(anna.track().say_all(strokes).await);
            anna.types(20, 0).await;
            while ben.hears("KEY_STOKE").await != anna.stroke(20, 0) {}
        };
        // The queue is full after this, and the allocator has what it needs.
        flood(&mut anna, &mut ben).await;
        let before = server.memory();
        flood(&mut anna, &mut ben).await;
        let more = server.memory().saturating_sub(before);
        assert!(more < 16 << 20, "{manner:?}: {more} bytes more");
        let mut waits = Vec::new();
        for key in 0..50 {
            let begun = Instant::now();
            anna.types(21, key % 2).await;
            ben.sees(&anna, 21, key % 2).await;
            waits.push(begun.elapsed());
        }
        waits.sort();
        assert!(waits[25] < Duration::from_millis(50), "{manner:?}: {waits:?}");
    }))
    .await;
}
