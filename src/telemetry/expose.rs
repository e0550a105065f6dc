//! The exposition: every instrument as text, in the formats of Prometheus.

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

use super::meter::{About, Instrument};
use super::{count, declared, instruments};

/// The table of instruments, without those of handler modules.
pub fn table() -> impl Iterator<Item = About> {
    all().map(Instrument::about)
}

fn all() -> impl Iterator<Item = &'static dyn Instrument> {
    count::PLAIN.iter().chain(instruments::OTHERS).copied()
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    all().for_each(|instrument| instrument.expose(&mut registry));
    declared::expose(&mut registry);
    registry
}

/// A format of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, which has exemplars.
    OpenMetrics,
    /// The text format of Prometheus.
    Plain,
}

impl Format {
    /// The one that a header `accept` prefers.
    pub fn asked_for(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Plain
        }
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Every instrument as text. Gauges have the value last set: see `operations::figures`.
pub fn exposition(format: Format) -> String {
    let (mut exposed, registry) = (String::new(), registry());
    let written = match format {
        Format::OpenMetrics => text::encode(&mut exposed, &registry),
        Format::Plain => prometheus_text::encode(&mut exposed, &registry),
    };
    written.expect("a String takes everything");
    exposed
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::telemetry::relay::Born;

    /// The table as it stands in the documentation.
    fn rows() -> String {
        let mut rows = String::from(
            "| name | kind | unit | labels | what it counts or measures |\n|---|---|---|---|---|\n",
        );
        for about in table() {
            let labels: Vec<_> = about.labels.iter().map(|label| format!("`{label}`")).collect();
            let About { name, help, kind, .. } = about;
            let (unit, labels) = (about.unit(), labels.join(", "));
            writeln!(rows, "| `{name}` | {kind} | {unit} | {labels} | {} |", help.trim()).unwrap();
        }
        rows
    }

    #[test]
    fn the_documentation_has_every_instrument_as_the_table_has_it() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/telemetry.md");
        let docs = std::fs::read_to_string(file).unwrap();
        assert!(docs.contains(&rows()), "docs/telemetry.md should have this table:\n\n{}", rows());
    }

    #[test]
    fn names_follow_the_conventions() {
        for about in table() {
            let About { name, kind, labels, .. } = about;
            let ours = ["typephoon_", "process_", "http_server_"];
            assert!(ours.iter().any(|it| name.starts_with(it)), "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
            assert!(labels.iter().all(|label| !label.contains("id")), "{name}: no ids in labels");
        }
    }

    #[test]
    fn what_is_counted_is_exposed_in_both_formats() {
        count::BRIDGE_UNKNOWN.add(2);
        count::TIMERS_FIRED.add(["a.timer"], 1);
        Born::position(Duration::ZERO);
        for format in [Format::OpenMetrics, Format::Plain] {
            let text = exposition(format);
            assert!(text.contains("# TYPE typephoon_bridge_unknown"), "{text}");
            assert!(text.contains("typephoon_timers_fired_total{timer=\"a.timer\"} "), "{text}");
            assert!(
                text.contains("typephoon_relay_latency_seconds_bucket{le=\"0.001\"} "),
                "{text}"
            );
        }
        assert!(exposition(Format::OpenMetrics).ends_with("# EOF\n"));
        assert_eq!(
            Format::asked_for("application/openmetrics-text;version=1.0.0,*/*;q=0.1"),
            Format::OpenMetrics
        );
        assert_eq!(Format::asked_for("text/plain"), Format::Plain);
    }
}
