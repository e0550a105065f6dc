//! The format of log lines: text for terminals, or one JSON object.
//!
//! `{"timestamp":…,"level":…,"target":…,"message":…,"trace_id":…,"span_id":…,<fields>}`; both ids only within a span.
//! `docs/telemetry.md` documents the members, on which log pipelines depend.

use std::fmt::{self, Write as _};

use opentelemetry::trace::TraceContextExt;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::rate::LogRate;

/// Reserved names of a JSON line; a field with such a name gets an underscore appended.
const RESERVED: [&str; 7] =
    ["timestamp", "level", "target", "message", "trace_id", "span_id", "left_out"];

/// Writes the lines.
pub(super) struct Lines {
    pub(super) is_json: bool,
    /// Provides the number of suppressed lines.
    pub(super) rate: LogRate,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let left_out = self.rate.take_left_out(event.metadata());
        if self.is_json {
            return writer.write_str(&json(event, left_out));
        }
        let level = event.metadata().level();
        let (dim, colour, plain) = match writer.has_ansi_escapes() {
            true => ("\x1b[2m", colour(*level), "\x1b[0m"),
            false => ("", "", ""),
        };
        write!(writer, "{dim}{}{plain} {colour}{level:>5}{plain} ", now())?;
        ctx.format_fields(writer.by_ref(), event)?;
        if left_out > 0 {
            write!(writer, " left_out={left_out}")?;
        }
        if let Some((trace, span)) = ids() {
            write!(writer, " {dim}trace_id={trace} span_id={span}{plain}")?;
        }
        writeln!(writer)
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// The time in UTC, with microseconds.
fn now() -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// The ids of the current trace and span.
fn ids() -> Option<(String, String)> {
    opentelemetry::Context::map_current(|current| {
        let span = current.span();
        let span = span.span_context();
        span.is_valid().then(|| (span.trace_id().to_string(), span.span_id().to_string()))
    })
}

fn json(event: &Event<'_>, left_out: u64) -> String {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let metadata = event.metadata();
    let mut line = Fields::default();
    line.add("timestamp", &now());
    line.add("level", metadata.level().as_str());
    line.add("target", metadata.target());
    line.add("message", &fields.message);
    if let Some((trace, span)) = ids() {
        line.add("trace_id", &trace);
        line.add("span_id", &span);
    }
    if left_out > 0 {
        line.add("left_out", &left_out);
    }
    format!("{{{}{}}}\n", line.members.trim_start_matches(','), fields.members)
}

/// The members of an object, each with a leading comma, and the message.
#[derive(Default)]
struct Fields {
    message: String,
    members: String,
}

impl Fields {
    fn add(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        // Serialising texts and numbers cannot fail; NaN becomes null.
        let (name, value) = (serde_json::to_string(name), serde_json::to_string(value));
        let _ = write!(self.members, ",{}:{}", name.unwrap_or_default(), value.unwrap_or_default());
    }

    fn field(&mut self, field: &Field, value: &(impl Serialize + ?Sized)) {
        match field.name() {
            name if RESERVED.contains(&name) => self.add(&format!("{name}_"), value),
            name => self.add(name, value),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, &value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, &value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, &value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, &value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.field(field, value),
        }
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;

    use parking_lot::Mutex;
    use serde_json::Value;
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(is_json: bool, log: impl FnOnce()) -> String {
        let output = Output::default();
        let lines = Lines { is_json, rate: LogRate::default() };
        let writer = output.clone();
        let layer = fmt::layer().event_format(lines).with_ansi(false);
        let layer = layer.with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let bytes = output.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_one_json_object_whatever_its_fields_hold() {
        let text = written(true, || {
            let error = io::Error::other("a \"quote\"\nand a break");
            tracing::warn!(module = "chat", times = 3, share = 0.5, is_on = true, level = "high", %error, "it {}", "failed");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with("{\"timestamp\":\"20"), "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["level"], &line["message"]), (&"WARN".into(), &"it failed".into()));
        assert_eq!(line["target"], "typephoon_api::telemetry::lines::tests");
        assert_eq!((&line["module"], &line["times"]), (&"chat".into(), &3.into()));
        assert_eq!((&line["share"], &line["is_on"]), (&0.5.into(), &true.into()));
        assert_eq!(line["level_"], "high", "a field takes no name of the shape");
        assert_eq!(line["error"], "a \"quote\"\nand a break");
        assert!(line.get("trace_id").is_none(), "outside of a span");
    }

    #[test]
    fn a_line_for_people_is_text() {
        let text = written(false, || tracing::info!(module = "chat", "it works"));
        assert!(text.ends_with("  INFO it works module=\"chat\"\n"), "{text:?}");
    }

    #[test]
    fn a_line_within_a_span_has_its_ids() {
        let trace = "0af7651916cd43dd8448eb211c803100";
        let parent = opentelemetry::trace::SpanContext::new(
            opentelemetry::TraceId::from_hex(trace).unwrap(),
            opentelemetry::SpanId::from_hex("b7ad6b7169203331").unwrap(),
            opentelemetry::TraceFlags::SAMPLED,
            true,
            opentelemetry::trace::TraceState::NONE,
        );
        let span = opentelemetry::Context::new().with_remote_span_context(parent);
        let _entered = span.attach();
        let text = written(true, || tracing::info!("it works"));
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["trace_id"], &line["span_id"]),
            (&trace.into(), &"b7ad6b7169203331".into())
        );
        let text = written(false, || tracing::info!("it works"));
        assert!(text.contains(&format!("it works trace_id={trace} span_id=b7")), "{text}");
    }
}
