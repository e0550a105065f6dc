//! Spans of the live state and of the records, with the attributes of OpenTelemetry's conventions for databases.
//!
//! An operation of the live state is one span, in this process or in Redis. An SQL statement is one span, built from
//! sqlx's report after it ([`Statements`]), without values. Both are children of the current span. Periodic background
//! operations have no span, unless they fail.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use tracing::field::{Empty, Field, Visit};
use tracing::{Event, Instrument, Metadata, Span, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::late::{self, Late};
use super::spans::mark_failed;
use super::{Timed, TraceContext, count};
use crate::Error;

/// The location of a live state.
#[derive(Clone, Debug)]
pub(crate) struct StoreLocation {
    system: &'static str,
    address: Option<(String, u16)>,
}

impl StoreLocation {
    /// In this process.
    pub(crate) const HERE: Self = Self { system: "memory", address: None };

    /// In Redis, at that host and port.
    pub(crate) fn redis(host: String, port: u16) -> Self {
        Self { system: "redis", address: Some((host, port)) }
    }

    fn span(&self, operation: &'static str) -> Span {
        if !TraceContext::current().is_some() {
            return Span::none();
        }
        let (host, port) =
            self.address.as_ref().map(|(host, port)| (&**host, i64::from(*port))).unzip();
        info_span!(
            "live",
            otel.name = format!("live {operation}"),
            otel.kind = if host.is_some() { "client" } else { "internal" },
            otel.status_code = Empty,
            db.system.name = self.system,
            db.operation.name = operation,
            server.address = host,
            server.port = port,
            error.type = Empty,
        )
    }
}

/// A failure of the live state itself, rather than an answer of the game such as "no such seat".
pub(crate) trait FailureCode {
    /// Its stable code, if it is a failure.
    fn code(&self) -> Option<&'static str>;
}

impl FailureCode for Error {
    fn code(&self) -> Option<&'static str> {
        (self.kind().status >= 500).then_some(self.kind().code)
    }
}

impl FailureCode for String {
    fn code(&self) -> Option<&'static str> {
        Some("_OTHER")
    }
}

/// Measures an operation of the live state, in a span: `live enter`.
pub(crate) async fn live_operation<T, E: FailureCode>(
    store: &StoreLocation,
    operation: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let _timed = Timed::begin(&count::LIVE_DURATION, operation);
    let (span, begun) = (store.span(operation), Instant::now());
    let done = work.instrument(span.clone()).await;
    if let Some(code) = done.as_ref().err().and_then(FailureCode::code) {
        if span.is_none() {
            let attributes = vec![
                KeyValue::new("db.system.name", store.system),
                KeyValue::new("db.operation.name", operation),
                KeyValue::new("error.type", code),
            ];
            let (name, parent) = (format!("live {operation}"), TraceContext::none());
            late::failed(name, SpanKind::Client, &parent, begun, attributes);
        } else {
            mark_failed(&span, code);
        }
    }
    done
}

/// The begin or end of a transaction, which sqlx does not report: `commit`.
pub(crate) async fn transaction_step<T>(
    system: &'static str,
    step: &'static str,
    work: impl Future<Output = T>,
) -> T {
    let cause = TraceContext::current();
    let begun = Instant::now();
    let done = work.await;
    if cause.is_some() {
        statement(system, step, begun.elapsed(), &cause);
    }
    done
}

/// The target of sqlx's reports.
const STATEMENTS: &str = "sqlx::query";

/// The layer that turns sqlx's reports of statements into spans: `insert game_results`.
pub(super) struct Statements;

impl Statements {
    /// The layer, filtered to these reports.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
        let is_statement = |it: &Metadata<'_>| !it.is_span() && it.target() == STATEMENTS;
        let filter = filter_fn(is_statement).with_max_level_hint(LevelFilter::DEBUG);
        <Self as Layer<S>>::with_filter(Self, filter)
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let cause = TraceContext::current();
        if !cause.is_some() {
            return;
        }
        let mut report = Report::default();
        event.record(&mut report);
        // SQLite runs in its own thread, to which sqlx passes the span.
        let is_lite = std::thread::current().name().is_some_and(|it| it.starts_with("sqlx-sqlite"));
        let system = if is_lite { "sqlite" } else { "postgresql" };
        // For a short statement the summary is the whole statement.
        let text = if report.statement.is_empty() { &report.summary } else { &report.statement };
        statement(system, text, report.took, &cause);
    }
}

/// sqlx's report of a statement.
#[derive(Default)]
struct Report {
    summary: String,
    statement: String,
    took: Duration,
}

impl Visit for Report {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.trim().clone_into(&mut self.statement),
            _ => {}
        }
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.took = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

fn statement(system: &'static str, text: &str, took: Duration, parent: &TraceContext) {
    let (operation, collection) = (operation(text), collection(text));
    let name = collection.map_or_else(|| operation.clone(), |it| format!("{operation} {it}"));
    let mut attributes = vec![
        KeyValue::new("db.system.name", system),
        KeyValue::new("db.operation.name", operation),
        // Values are bound parameters, so the text has none.
        KeyValue::new("db.query.text", words(text)),
    ];
    attributes.extend(collection.map(|it| KeyValue::new("db.collection.name", it.to_owned())));
    let (name, kind, failed) = (name.into(), SpanKind::Client, false);
    Late { name, kind, parent, took, attributes, failed }.make();
}

/// The text in one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first word of a statement, in lower case like this server's own: sqlx writes `COMMIT`.
fn operation(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase()
}

/// The first table in a statement.
fn collection(text: &str) -> Option<&str> {
    let mut words = text.split_whitespace();
    let before = words.find(|word| matches!(*word, "from" | "into" | "update"))?;
    let word = words.next()?.trim_end_matches([',', ';', ')']);
    let table = match word.split_once('(') {
        // A function: `from generate_series(1, 32)`.
        Some(_) if before == "from" => return None,
        Some((table, _)) => table,
        None => word,
    };
    table.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_names_what_it_does_and_to_which_table() {
        for (text, does, to) in [
            ("select 1", "select", None),
            (
                "insert into games (id) values ($1)\n on conflict do nothing",
                "insert",
                Some("games"),
            ),
            ("update games set status = $2", "update", Some("games")),
            ("delete from live_games where game_id = $1", "delete", Some("live_games")),
            ("select count(*) from (select 1)", "select", None),
            ("COMMIT", "commit", None),
            ("select a from generate_series(1, 32)", "select", None),
            ("insert into games(id) values ($1)", "insert", Some("games")),
        ] {
            assert_eq!((operation(text).as_str(), collection(text)), (does, to), "{text}");
        }
    }
}
