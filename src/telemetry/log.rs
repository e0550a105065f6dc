//! The log: level, destination and format ([`super::lines`]).
//!
//! It goes to standard output, and as OTLP logs to the collector if `log.otlp` is on. Both are limited by
//! [`super::rate`].

use std::io::IsTerminal;

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, SdkLoggerProvider};
use tracing::Subscriber;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::lines::Lines;
use super::rate::LogRate;
use crate::settings::{LogFormat, Settings};

/// Lines that may wait for the exporter; further ones are dropped, and the exporter logs it once.
const QUEUE: usize = 8192;

/// The exporter's own crates: exporting their lines would cause further ones.
const EXPORTER: &str = "opentelemetry=off,opentelemetry_sdk=off,opentelemetry_otlp=off,hyper=off,hyper_util=off,reqwest=off";

/// Writes to standard output.
///
/// # Errors
/// One sentence, if `LOG_LEVEL` is neither a level nor a filter.
pub(super) fn printed<S>(settings: &Settings) -> Result<impl Layer<S>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let is_terminal = std::io::stdout().is_terminal();
    let is_json = match settings.log.format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let rate = LogRate::counted();
    let filter = filter(&settings.log_level, "")?.and(rate.clone());
    let lines = fmt::layer().event_format(Lines { is_json, rate }).with_ansi(is_terminal);
    Ok(lines.with_filter(filter))
}

/// Sends to the collector, if the settings ask for it. Returns the layer with its provider.
///
/// # Errors
/// One sentence, if `LOG_LEVEL` or the endpoint is unusable.
pub(super) fn exported<S>(
    settings: &Settings,
    resource: Resource,
) -> Result<Option<(impl Layer<S>, SdkLoggerProvider)>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let endpoint = settings.telemetry.otlp_endpoint.as_deref().filter(|_| settings.log.otlp);
    let Some(endpoint) = endpoint else { return Ok(None) };
    let exporter = LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/logs", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| format!("the OTLP endpoint {endpoint:?} is unusable: {error}"))?;
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchLogProcessor::builder(exporter).with_batch_config(config).build();
    let provider =
        SdkLoggerProvider::builder().with_log_processor(processor).with_resource(resource).build();
    let filter = filter(&settings.log_level, EXPORTER)?.and(LogRate::default());
    let layer = OpenTelemetryTracingBridge::new(&provider).with_filter(filter);
    Ok(Some((layer, provider)))
}

fn filter(level: &str, more: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new([&directives(level), more].join(","))
        .map_err(|error| format!("LOG_LEVEL {level:?} is no log level: {error}"))
}

/// Python's names of levels are accepted too, since existing deployments use them. Libraries log only from `warn` up,
/// unless `LOG_LEVEL` is a filter.
fn directives(level: &str) -> String {
    let level = level.to_ascii_lowercase();
    match level.as_str() {
        "warning" => "warn".into(),
        "critical" | "fatal" => "error".into(),
        "notset" => "trace".into(),
        "trace" | "debug" | "info" => format!("warn,typephoon_api={level}"),
        _ => level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_the_old_settings_are_understood() {
        assert_eq!(directives("WARNING"), "warn");
        assert_eq!(directives("INFO"), "warn,typephoon_api=info");
        assert_eq!(directives("error"), "error");
    }

    #[test]
    fn a_module_has_a_level_of_its_own() {
        use tracing_subscriber::layer::SubscriberExt;

        let filter = filter("INFO,typephoon_api::bridge=debug", EXPORTER).unwrap();
        let subscriber = tracing_subscriber::registry().with(filter);
        tracing::subscriber::with_default(subscriber, || {
            assert!(
                tracing::enabled!(target: "typephoon_api::bridge::link", tracing::Level::DEBUG)
            );
            assert!(!tracing::enabled!(target: "typephoon_api::socket", tracing::Level::DEBUG));
            assert!(tracing::enabled!(target: "typephoon_api::socket", tracing::Level::INFO));
            assert!(!tracing::enabled!(target: "hyper_util::client", tracing::Level::ERROR));
        });
    }
}
