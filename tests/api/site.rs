//! HTTP as a browser on this site would speak it, without redirects followed and without a cookie jar: the server's
//! cookies are `Secure` and would not come back over plain HTTP, so every caller carries its token in hand.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::persona::Player;
use crate::process::Log;
use crate::secrets;
use crate::server::PATIENCE;
use crate::socket::{Refusal, Socket};

/// Who sends a request: a [`Player`], a bare token, or [`ANONYMOUS`].
pub trait Caller {
    fn token(&self) -> Option<&str>;
}

/// A caller without a cookie.
pub const ANONYMOUS: &Anonymous = &Anonymous;

pub struct Anonymous;

impl Caller for Anonymous {
    fn token(&self) -> Option<&str> {
        None
    }
}

impl Caller for Player {
    fn token(&self) -> Option<&str> {
        Some(&self.token)
    }
}

impl Caller for String {
    fn token(&self) -> Option<&str> {
        Some(self)
    }
}

/// One server's address, and the timeout of its callers. If the server is a cluster, each request goes to the next pod,
/// and so does each socket; mostly not to the same one.
#[derive(Clone)]
pub struct Site {
    pub log: Log,
    pub patience: Duration,
    http: reqwest::Client,
    ports: Arc<[u16]>,
    guests: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    sockets: Arc<AtomicUsize>,
}

impl Site {
    pub fn new(port: u16) -> Self {
        Self::of(vec![port])
    }

    /// The site of several pods.
    pub fn of(ports: Vec<u16>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // A connection kept from before a restart would only fail.
            .pool_max_idle_per_host(0)
            .build()
            .expect("an HTTP client");
        let (guests, sockets) = (Arc::default(), Arc::default());
        // Who sits on the first pod asks the second.
        let requests = Arc::new(AtomicUsize::new(1));
        let (log, ports) = (Log::default(), ports.into());
        Self { log, patience: PATIENCE, http, ports, guests, requests, sockets }
    }

    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// Those of all pods.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// One pod alone.
    pub fn at(&self, pod: usize) -> Self {
        Self { ports: [self.ports[pod]].into(), ..self.clone() }
    }

    fn next_port(&self, counter: &AtomicUsize) -> u16 {
        self.ports[counter.fetch_add(1, Ordering::Relaxed) % self.ports.len()]
    }

    /// The name of the next guest, in the test's story.
    pub fn next_name(&self) -> String {
        const NAMES: [&str; 10] =
            ["anna", "ben", "cleo", "dora", "emil", "fay", "gus", "hana", "ivo", "june"];
        let number = self.guests.fetch_add(1, Ordering::Relaxed);
        NAMES.get(number).map_or_else(|| format!("guest {}", number + 1), ToString::to_string)
    }

    pub async fn get(&self, path: &str, caller: &impl Caller) -> Answer {
        self.send(self.request(Method::GET, path, caller)).await
    }

    /// Like [`Site::get`], but a server that is not there is no failure.
    pub async fn try_get(&self, path: &str, caller: &impl Caller) -> Option<Answer> {
        let request = self.request(Method::GET, path, caller).build().expect("a proper request");
        self.answer(request).await.ok()
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, caller: &impl Caller, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path, caller).json(body)).await
    }

    /// A request to be changed before it is [sent](Site::send).
    pub fn request(&self, method: Method, path: &str, caller: &impl Caller) -> RequestBuilder {
        let port = self.next_port(&self.requests);
        let request = self.http.request(method, format!("http://127.0.0.1:{port}{path}"));
        match caller.token() {
            Some(token) => request.header("cookie", format!("TP_AT={token}")),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.send_request(request.build().expect("a proper request")).await
    }

    pub async fn send_request(&self, request: reqwest::Request) -> Answer {
        let what = format!("{} {}", request.method(), request.url());
        self.answer(request).await.unwrap_or_else(|error| panic!("{what}: no answer: {error:?}"))
    }

    async fn answer(&self, request: reqwest::Request) -> Result<Answer, String> {
        let what = format!("{} {}", request.method(), request.url());
        secrets::note_request(&request);
        let exchange = async {
            let response = self.http.execute(request).await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = response.text().await?;
            let body = serde_json::from_str(&text).unwrap_or(Value::Null);
            let answer = Answer { what, status, headers, text, body };
            secrets::note_answer(&answer);
            Ok::<_, reqwest::Error>(answer)
        };
        match tokio::time::timeout(self.patience, exchange).await {
            Ok(answer) => answer.map_err(|error| format!("{error:?}")),
            Err(_) => Err(format!("nothing within {:?}", self.patience)),
        }
    }

    /// Like [`Site::send`], but a server that is not there is no failure.
    pub async fn try_send(&self, request: RequestBuilder) -> Option<Answer> {
        self.answer(request.build().expect("a proper request")).await.ok()
    }

    /// Opens a WebSocket, or says why there is none.
    pub async fn try_connect(
        &self,
        who: &str,
        path: &str,
        caller: &impl Caller,
    ) -> Result<Socket, Refusal> {
        let cookie = caller.token().map(|token| format!("TP_AT={token}"));
        let headers = cookie.iter().map(|cookie| ("cookie", cookie.as_str()));
        Socket::try_open(who, self.port(), path, headers, self.patience).await
    }

    /// Opens a WebSocket for a caller.
    pub async fn connect(&self, who: &str, path: &str, caller: &impl Caller) -> Socket {
        let cookie = caller.token().map(|token| format!("TP_AT={token}"));
        let headers = cookie.iter().map(|cookie| ("cookie", cookie.as_str()));
        self.connect_with(who, path, headers).await
    }

    /// The same with any headers.
    pub async fn connect_with<'a>(
        &self,
        who: &str,
        path: &str,
        headers: impl IntoIterator<Item = (&'static str, &'a str)>,
    ) -> Socket {
        let port = self.next_port(&self.sockets);
        Socket::open(who, port, path, headers, self.patience).await
    }

    /// The answer to a WebSocket handshake that is to be refused.
    pub async fn handshake(&self, path: &str, caller: &impl Caller) -> Answer {
        self.send(self.handshake_request(path, caller)).await
    }

    /// A WebSocket handshake sent as a plain request, since its refusal has a body worth reading.
    pub fn handshake_request(&self, path: &str, caller: &impl Caller) -> RequestBuilder {
        self.request(Method::GET, path, caller)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    }
}

/// What the server said.
pub struct Answer {
    what: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    /// A success in the envelope; returns the body.
    #[track_caller]
    pub fn ok(&self) -> &Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert!(self.text.starts_with(r#"{"ok":true"#), "compact, and `ok` first: {self:?}");
        self.is_plain_json();
        &self.body
    }

    /// A refusal in the envelope.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        assert!(
            self.text.starts_with(r#"{"ok":false,"error":{"code":"#),
            "compact, and `ok` first: {self:?}"
        );
        assert!(self.body["error"]["message"].is_string(), "a message, be it empty: {self:?}");
        self.is_plain_json();
    }

    /// The error code, or nothing.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The cookie of that name that the answer sets.
    #[track_caller]
    pub fn cookie(&self, name: &str) -> SetCookie {
        self.cookies()
            .into_iter()
            .find(|cookie| cookie.name == name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub fn cookies(&self) -> Vec<SetCookie> {
        let lines = self.headers.get_all("set-cookie").into_iter();
        lines.map(|line| SetCookie::read(line.to_str().expect("ASCII"))).collect()
    }

    #[track_caller]
    fn is_plain_json(&self) {
        let mime = self.header("content-type").to_ascii_lowercase().replace(' ', "");
        assert!(
            matches!(mime.as_str(), "application/json" | "application/json;charset=utf-8"),
            "{self:?}"
        );
        // A download is streamed.
        if self.header("content-disposition").is_empty() {
            assert_eq!(self.header("content-length"), self.text.len().to_string(), "{self:?}");
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {} {:?}", self.what, self.status, self.text, self.headers)
    }
}

/// One `Set-Cookie` line; attributes in lower case and in order of the alphabet.
#[derive(Debug)]
pub struct SetCookie {
    pub name: String,
    pub value: String,
    pub path: String,
    pub attributes: Vec<String>,
}

impl SetCookie {
    fn read(line: &str) -> Self {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("name=value");
        let parts: Vec<&str> = parts.collect();
        let path =
            parts.iter().find_map(|it| it.strip_prefix("Path=").or(it.strip_prefix("path=")));
        let mut attributes: Vec<String> = parts.iter().map(|it| it.to_ascii_lowercase()).collect();
        attributes.sort();
        let [name, value, path] = [name, value, path.unwrap_or("/")].map(str::to_owned);
        Self { name, value, path, attributes }
    }

    /// A cookie that deletes its namesake at that path.
    #[track_caller]
    pub fn deletes(&self, path: &str) {
        assert_eq!(self.value.trim_matches('"'), "", "{self:?}");
        assert!(self.attributes.contains(&"max-age=0".to_owned()), "{self:?}");
        assert!(self.attributes.contains(&format!("path={path}")), "{self:?}");
    }
}
