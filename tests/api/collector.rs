//! A collector: takes OTLP over HTTP in this process, reads the spans, and keeps the log as it comes. It can be one that refuses,
//! hangs or is slow.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span as Proto;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Settings, within};

/// How long a span may take from its end to the collector.
const PATIENCE: Duration = Duration::from_secs(15);

/// How it treats exporters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It takes all at once.
    Takes,
    /// It answers 503.
    Refuses,
    /// It never answers.
    Hangs,
    /// It takes a second for each answer.
    IsSlow,
}

/// A span, as far as tests look at it.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    /// `server`, `client`, `producer`, `consumer` or `internal`.
    pub kind: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    /// The ids of the spans that it is linked to.
    pub links: Vec<String>,
    pub attributes: BTreeMap<String, String>,
    /// Whether its status is an error.
    pub failed: bool,
    /// The instance that it comes from.
    pub pod: String,
    pub took: Duration,
}

impl Span {
    fn of(proto: &Proto, pod: &str) -> Self {
        let took = proto.end_time_unix_nano.saturating_sub(proto.start_time_unix_nano);
        let kind = SpanKind::try_from(proto.kind).expect("a known kind").as_str_name();
        Self {
            name: plain(&proto.name),
            kind: kind.trim_start_matches("SPAN_KIND_").to_lowercase(),
            trace: hex(&proto.trace_id),
            id: hex(&proto.span_id),
            parent: hex(&proto.parent_span_id),
            links: proto.links.iter().map(|link| hex(&link.span_id)).collect(),
            attributes: proto.attributes.iter().map(read).collect(),
            failed: proto.status.as_ref().is_some_and(|status| status.code == 2),
            pod: pod.to_owned(),
            took: Duration::from_nanos(took),
        }
    }

    /// An attribute, or nothing.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// What it is a child of, or linked to.
    fn causes(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.parent).chain(&self.links)
    }
}

/// The name of a span with the prefix that names at the broker have by default, rather than that of the test's cluster.
fn plain(name: &str) -> String {
    let Some((verb, rest)) = name.split_once(" typephoon_test_") else { return name.to_owned() };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    format!("{verb} typephoon{rest}")
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(pair: &KeyValue) -> (String, String) {
    let value = match pair.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(bit)) => bit.to_string(),
        other => panic!("{} is {other:?}", pair.key),
    };
    (pair.key.clone(), value)
}

/// A running collector.
pub struct Collector {
    pub address: String,
    got: Arc<Mutex<Got>>,
}

#[derive(Default)]
struct Got {
    spans: Vec<Span>,
    /// The posted lines, protobuf as text: names and values stand there plainly.
    log: String,
}

impl Collector {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let got: Arc<Mutex<Got>> = Arc::default();
        let into = got.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manner, into.clone()));
            }
        });
        Self { address, got }
    }

    /// Has servers export to it, soon after a span has ended.
    pub fn watch(&self, mut settings: Settings, pods: usize) -> Settings {
        settings = settings.set("telemetry.otlp_endpoint", &self.address);
        for pod in 0..pods {
            settings = settings.variable_on(pod, "OTEL_BSP_SCHEDULE_DELAY", 100);
        }
        settings
    }

    /// All that have come.
    pub fn spans(&self) -> Vec<Span> {
        self.got.lock().expect("no panic while it is locked").spans.clone()
    }

    /// The lines of the log that have come.
    pub fn log(&self) -> String {
        self.got.lock().expect("no panic while it is locked").log.clone()
    }

    /// Waits until something is found in the spans.
    pub async fn until<T>(&self, what: &str, find: impl Fn(&[Span]) -> Option<T>) -> T {
        within(PATIENCE, what, async || find(&self.spans())).await
    }

    /// Waits for spans of these names, each of which follows from the one before: by parents and links, perhaps over
    /// others. The first of them is one that fits.
    pub async fn chain(&self, names: &[&str], first: impl Fn(&Span) -> bool) -> Vec<Span> {
        let what = format!("a chain of spans: {}", names.join(" → "));
        self.until(&what, |spans| chain(spans, names, &first)).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for Span { name, pod, id, parent, links, .. } in self.spans() {
                eprintln!("{pod}: {name} ({id}), child of {parent:?}, linked to {links:?}");
            }
        }
    }
}

fn chain(spans: &[Span], names: &[&str], first: &impl Fn(&Span) -> bool) -> Option<Vec<Span>> {
    let mut effects: HashMap<&str, Vec<&Span>> = HashMap::new();
    for span in spans {
        span.causes().for_each(|cause| effects.entry(cause.as_str()).or_default().push(span));
    }
    let (start, names) = names.split_first()?;
    let mut starts = spans.iter().filter(|it| it.name == *start && first(it));
    starts.find_map(|start| follow(start, names, &effects))
}

/// The chain from a span through these names.
fn follow(from: &Span, names: &[&str], effects: &HashMap<&str, Vec<&Span>>) -> Option<Vec<Span>> {
    let Some((name, rest)) = names.split_first() else { return Some(vec![from.clone()]) };
    let (mut seen, mut waiting) = (HashSet::new(), vec![from]);
    while let Some(span) = waiting.pop() {
        for effect in effects.get(&*span.id).into_iter().flatten() {
            if effect.name == *name
                && let Some(mut found) = follow(effect, rest, effects)
            {
                found.insert(0, from.clone());
                return Some(found);
            }
            if seen.insert(&effect.id) {
                waiting.push(*effect);
            }
        }
    }
    None
}

/// Answers every request on one connection, once all of it has come.
async fn serve(mut stream: TcpStream, manner: Manner, into: Arc<Mutex<Got>>) {
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|bytes| bytes > 0) {
        let Some(head) = request.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().expect("a length"));
        let Some(body) = request.get(head + 4..head + 4 + length) else { continue };
        let status = match manner {
            Manner::Takes => "200 OK",
            Manner::Refuses => "503 Service Unavailable",
            Manner::Hangs => std::future::pending().await,
            Manner::IsSlow => {
                crate::server::time_passes(Duration::from_secs(1)).await;
                "200 OK"
            }
        };
        if manner == Manner::Takes {
            let mut got = into.lock().expect("no panic while it is locked");
            match text.split(' ').nth(1) {
                Some("/v1/traces") => got.spans.extend(spans(body)),
                Some("/v1/logs") => got.log.push_str(&String::from_utf8_lossy(body)),
                path => panic!("posted to {path:?}"),
            }
        }
        request.clear();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn spans(body: &[u8]) -> Vec<Span> {
    let export = ExportTraceServiceRequest::decode(body).expect("OTLP");
    let mut spans = Vec::new();
    for of_resource in &export.resource_spans {
        let resource = of_resource.resource.as_ref().expect("a resource");
        let resource: HashMap<_, _> = resource.attributes.iter().map(read).collect();
        assert_eq!(resource["service.name"], "typephoon-api");
        let pod = &resource["service.instance.id"];
        let protos = of_resource.scope_spans.iter().flat_map(|of_scope| &of_scope.spans);
        spans.extend(protos.map(|proto| Span::of(proto, pod)));
    }
    spans
}
