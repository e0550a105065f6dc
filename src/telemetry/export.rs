//! Starts and ends the export of logs and traces.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::database::Statements;
use super::late::{self, Sampling};
use super::rate::LogRate;
use super::troubles::Troubles;
use super::{log, panics};
use crate::game::PodName;
use crate::settings::Settings;

static EXPORTING: AtomicBool = AtomicBool::new(false);

/// Whether spans are exported at all.
pub(super) fn exporting() -> bool {
    EXPORTING.load(Ordering::Relaxed)
}

/// Holds the exporters; must be ended before the process exits.
#[must_use = "ending it sends what is left"]
pub struct Guard {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl Guard {
    /// Sends the remaining spans and lines. Blocks while the collector accepts them (at most 5 s for each).
    pub fn end(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!(%error, "the last spans were not exported");
        }
        if let Some(Err(error)) = self.logs.map(|logs| logs.shutdown()) {
            tracing::warn!(%error, "the last lines of the log were not exported");
        }
    }
}

/// Spans that may wait for the exporter. Further ones are dropped, and the exporter logs it once.
const SPAN_QUEUE: usize = 8192;

/// Starts the log and, if the settings name a collector, the export of traces over OTLP (`http/protobuf`, to
/// `<endpoint>/v1/traces`) and of the log (`<endpoint>/v1/logs`).
///
/// # Errors
/// One sentence, if the log level or the endpoint is unusable.
pub fn init(settings: &Settings) -> Result<Guard, String> {
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
    let troubles = Troubles.with_filter(LevelFilter::WARN.and(LogRate::default()));
    let (sent, logs) = log::exported(settings, resource(settings))?.unzip();
    let printed = log::printed(settings)?;
    let layers = tracing_subscriber::registry().with(printed).with(sent);
    layers.with(traces).with(statements).with(troubles).init();
    panics::log_all();
    Ok(Guard { traces: provider, logs })
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

/// The resource attributes of this server. `service.instance.id` is the pod's `SERVER_NAME`, or a name for this run.
fn resource(settings: &Settings) -> Resource {
    let instance = settings.server_name.clone();
    let instance = instance.unwrap_or_else(|| PodName::of_run("pod").to_string());
    Resource::builder()
        .with_service_name("typephoon-api")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance))
        .build()
}
