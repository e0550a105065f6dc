//! Starting and ending logs and traces.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::database::Statements;
use super::late::{self, Sampling};
use super::troubles::Troubles;
use crate::game::PodName;
use crate::settings::Settings;

static EXPORTING: AtomicBool = AtomicBool::new(false);

/// Whether spans are wanted at all.
pub(super) fn exporting() -> bool {
    EXPORTING.load(Ordering::Relaxed)
}

/// Holds the exporter; to be ended before the process is.
#[must_use = "ending it sends what is left"]
pub struct Guard(Option<SdkTracerProvider>);

impl Guard {
    /// Sends the spans that are left. Blocks for as long as the collector takes (5 s at most).
    pub fn end(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// Spans that may wait for the exporter. When there are more, they are dropped and the exporter
/// says so once.
const SPAN_QUEUE: usize = 8192;

/// Starts the log on standard output and, if the settings name a collector, the export of traces
/// over OTLP (`http/protobuf`, to `<endpoint>/v1/traces`).
///
/// # Errors
/// One sentence, if the log level or the endpoint is unusable.
pub fn init(settings: &Settings) -> Result<Guard, String> {
    let level = &settings.log_level;
    let filter = EnvFilter::try_new(log_filter(level))
        .map_err(|error| format!("LOG_LEVEL {level:?} is no log level: {error}"))?;
    let log = fmt::layer()
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stdout()));
    let endpoint = settings.telemetry.otlp_endpoint.as_deref();
    let provider = endpoint.map(|endpoint| provider(endpoint, settings)).transpose()?;
    let traces = provider.as_ref().map(|provider| {
        EXPORTING.store(true, Ordering::Relaxed);
        let tracer = provider.tracer("typephoon-api");
        late::begin(tracer.clone());
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(EnvFilter::new("off,typephoon_api=info"))
    });
    let statements = provider.as_ref().map(|_| Statements::layer());
    let troubles = Troubles.with_filter(LevelFilter::WARN);
    tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(traces)
        .with(statements)
        .with(troubles)
        .init();
    Ok(Guard(provider))
}

/// Python's names of levels are understood too, since operators have them in their settings. The
/// crates below us speak only from `warn` on, unless `LOG_LEVEL` is a filter of its own.
fn log_filter(level: &str) -> String {
    let level = level.to_ascii_lowercase();
    match level.as_str() {
        "warning" => "warn".into(),
        "critical" | "fatal" => "error".into(),
        "notset" => "trace".into(),
        "trace" | "debug" | "info" => format!("warn,typephoon_api={level}"),
        _ => level,
    }
}

fn provider(endpoint: &str, settings: &Settings) -> Result<SdkTracerProvider, String> {
    let protocol = std::env::var("OTEL_EXPORTER_OTLP_PROTOCOL").unwrap_or_default();
    if !matches!(protocol.as_str(), "" | "http/protobuf") {
        return Err(format!(
            "OTEL_EXPORTER_OTLP_PROTOCOL is {protocol:?}, but traces are exported over \
             http/protobuf only (usually port 4318)"
        ));
    }
    if !endpoint.starts_with("http://") {
        return Err(format!("the OTLP endpoint {endpoint:?} does not begin with http://"));
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| format!("the OTLP endpoint {endpoint:?} is unusable: {error}"))?;
    let config = BatchConfigBuilder::default().with_max_queue_size(SPAN_QUEUE).build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    let mut provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(resource(settings));
    if std::env::var_os("OTEL_TRACES_SAMPLER").is_none() {
        provider = provider.with_sampler(Sampling::default());
    }
    Ok(provider.build())
}

/// What this server is. `service.instance.id` is the name that operators give the pod (`SERVER_NAME`), or one of this run.
pub(super) fn resource(settings: &Settings) -> Resource {
    let instance = settings.server_name.clone();
    let instance = instance.unwrap_or_else(|| PodName::of_run("pod").to_string());
    Resource::builder()
        .with_service_name("typephoon-api")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_the_old_settings_are_understood() {
        assert_eq!(log_filter("WARNING"), "warn");
        assert_eq!(log_filter("INFO"), "warn,typephoon_api=info");
        assert_eq!(log_filter("error"), "error");
    }
}
