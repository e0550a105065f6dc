//! `/openapi.json`, `/asyncapi.json`, and `/docs`: a page generated from these two and the error table. It needs no
//! scripts and no external resources.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salvo::http::{HeaderValue, header};
use salvo::hyper::body::Bytes;
use salvo::oapi::OpenApi;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, Router, async_trait};
use serde_json::Value;

use super::web::get_and_head;
use crate::Kind;

/// Their paths: the routes, the messages of sockets, the page.
pub(super) const PATHS: [&str; 3] = ["/openapi.json", "/asyncapi.json", "/docs"];

/// The three documents, made once.
pub(super) struct Docs {
    routes: String,
    messages: String,
    page: String,
}

impl Docs {
    pub(super) fn new(api: OpenApi, protocol: &Value) -> Self {
        let routes = api.to_json().unwrap_or_default();
        let page = page(&serde_json::from_str(&routes).unwrap_or_default(), protocol);
        Self { routes, messages: protocol.to_string(), page }
    }

    pub(super) fn router(self) -> Router {
        let json =
            |body: String| Document { body: body.into(), of: "application/json", policy: None };
        let (of, policy) = ("text/html; charset=utf-8", HeaderValue::try_from(policy()).ok());
        let page = Document { body: self.page.into(), of, policy };
        let documents = PATHS.into_iter().zip([json(self.routes), json(self.messages), page]);
        documents.fold(Router::new(), |router, (path, document)| {
            router.push(get_and_head(Router::with_path(&path[1..]), document))
        })
    }
}

#[derive(Clone)]
struct Document {
    body: Bytes,
    of: &'static str,
    /// A content policy of its own.
    policy: Option<HeaderValue>,
}

#[async_trait]
impl Handler for Document {
    async fn handle(&self, _: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        res.body(self.body.clone());
        let headers = res.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.of));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Some(policy) = &self.policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    code,pre{font-family:ui-monospace,monospace;font-size:.9em}\
    table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .8rem .2rem 0;\
    border-bottom:1px solid #8884;vertical-align:top}h2{margin-top:2.5rem}\
    @media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8cf}}";

/// The page's content security policy: only its one style sheet, by its hash (CSP Level 3, section 2.3.1).
fn policy() -> String {
    let hash = digest::digest(&digest::SHA256, STYLE.as_bytes());
    let hash = STANDARD.encode(hash);
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn page(api: &Value, protocol: &Value) -> String {
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport \
         content=\"width=device-width\"><title>typephoon-api</title><style>{STYLE}</style>\
         <h1>typephoon-api</h1><p>A success is <code>{{\"ok\":true,…}}</code>, a failure \
         <code>{{\"ok\":false,\"error\":{{\"code\":…,\"message\":…}}}}</code>. For programs: \
         <a href=/openapi.json>openapi.json</a>, <a href=/asyncapi.json>asyncapi.json</a>."
    );
    routes(&mut html, api);
    sockets(&mut html, protocol);
    errors(&mut html);
    html
}

/// Writing to a String cannot fail.
macro_rules! put {
    ($html:expr, $($what:tt)*) => { let _ = write!($html, $($what)*); };
}

fn routes(html: &mut String, api: &Value) {
    put!(html, "<h2>Routes</h2>");
    let paths = api["paths"].as_object().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let is_socket = operation["responses"]["101"].is_object();
            if method == "head" || is_socket {
                continue;
            }
            let locked =
                if operation["security"].is_array() { " 🔒 <code>TP_AT</code>" } else { "" };
            put!(html, "<h3><code>{} {}</code>{locked}</h3>", method.to_uppercase(), escape(path));
            put!(html, "<p>{} {}", text(&operation["summary"]), text(&operation["description"]));
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = escape(parameter["name"].as_str().unwrap_or_default());
                let about = text(&parameter["description"]);
                put!(html, "<br><code>{name}</code> {about}");
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            schema(html, "body", api, body);
            let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            schema(html, "answer", api, answer);
        }
    }
}

/// The fields of an object's schema, one row each.
fn schema(html: &mut String, verb: &str, api: &Value, schema: &Value) {
    let mut begun = false;
    for (name, field) in fields(api, schema) {
        if !std::mem::replace(&mut begun, true) {
            put!(html, "<p>{verb}<table>");
        }
        let (name, kind, about) = (escape(name), escape(&kind_of(api, field)), about(field));
        put!(html, "<tr><td><code>{name}</code><td>{kind}<td>{about}");
    }
    if begun {
        put!(html, "</table>");
    }
}

/// The fields of an object, with those of the objects that it is made of (`allOf`).
fn fields<'a>(api: &'a Value, schema: &'a Value) -> Vec<(&'a String, &'a Value)> {
    let schema = resolve(api, schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let own = schema["properties"].as_object().into_iter().flatten();
    parts.flat_map(|part| fields(api, part)).chain(own).collect()
}

/// The description of a field; of a nullable one it is a part of its own.
fn about(field: &Value) -> String {
    let parts = field["allOf"].as_array().into_iter().flatten();
    let mut all = std::iter::once(field).chain(parts).map(|part| &part["description"]);
    all.find(|description| description.is_string()).map(text).unwrap_or_default()
}

fn resolve<'a>(api: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/components/schemas/"));
    name.map_or(schema, |name| &api["components"]["schemas"][name])
}

/// A type in a few words: `string`, `array of {id, name}`, `{rank} or null`.
fn kind_of(api: &Value, schema: &Value) -> String {
    if schema["items"].is_object() {
        return format!("array of {}", kind_of(api, &schema["items"]));
    }
    let resolved = resolve(api, schema);
    if let Some(choices) = ["oneOf", "anyOf"].iter().find_map(|it| resolved[*it].as_array()) {
        let mut kinds: Vec<_> = choices.iter().map(|choice| kind_of(api, choice)).collect();
        kinds.sort_by_key(|kind| kind == "null");
        return kinds.join(" or ");
    }
    let names: Vec<_> = fields(api, resolved).into_iter().map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        return format!("{{{}}}", names.join(", "));
    }
    // A field with a named type and its own description is a list of one.
    if let Some(only) = resolved["allOf"].get(0) {
        return kind_of(api, only);
    }
    let values = resolved.get("enum").or_else(|| resolved.get("const"));
    if let Some(values) = values {
        return values.to_string();
    }
    match &resolved["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    }
}

/// The channels that are sockets, and their messages.
fn sockets(html: &mut String, protocol: &Value) {
    put!(html, "<h2>Sockets</h2><p>Text frames, one JSON object each.");
    let channels = protocol["channels"].as_object().into_iter().flatten();
    for (_, channel) in channels.filter(|(_, channel)| channel["bindings"]["ws"].is_object()) {
        let address = escape(channel["address"].as_str().unwrap_or_default());
        put!(html, "<h3><code>{address}</code></h3>");
        put!(html, "<p>{}", text(&channel["description"]));
        for (id, message) in channel["messages"].as_object().into_iter().flatten() {
            let way =
                if id.starts_with("client.") { "client → server" } else { "server → client" };
            let (name, about) = (text(&message["name"]), text(&message["summary"]));
            put!(html, "<p>{way} <code>{name}</code> {about}");
            schema(html, "fields", protocol, &message["payload"]);
        }
    }
}

fn errors(html: &mut String) {
    put!(
        html,
        "<h2>Errors</h2><p>Close codes 4000-4499 (and 1012) mean “reconnect”, 4500-4999 “do not”. The close reason of \
         1012 may have the delay in seconds: <code>RESTARTING retry-after=0.25</code>.<table>\
         <tr><th>code<th>status<th>in a handshake<th>close code<th>reconnect<th>meaning"
    );
    for (kind, meaning) in Kind::ALL {
        let Kind { code, status, handshake, close } = kind;
        let back = if kind.come_back() { "yes" } else { "no" };
        let meaning = prose(meaning);
        put!(
            html,
            "<tr><td><code>{code}</code><td>{status}<td>{handshake}<td>{close}<td>{back}<td>{meaning}"
        );
    }
    put!(html, "</table>");
}

/// A description, which may be missing.
fn text(value: &Value) -> String {
    prose(value.as_str().unwrap_or_default())
}

/// Text with code spans as in Markdown: `` `GET_TOKEN` ``.
fn prose(text: &str) -> String {
    let text = escape(text);
    let mut html = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, (code, after))) = next_span(rest) {
        put!(html, "{before}<code>{code}</code>");
        rest = after;
    }
    html + rest
}

/// The text before the next code span, the code, and the rest.
fn next_span(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = text.split_once('`')?;
    Some((before, rest.split_once('`')?))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
