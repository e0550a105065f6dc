//! The envelope: `{"ok":true,…}` or `{"ok":false,"error":{"code":…,"message":…}}`, compact JSON.

use std::time::Duration;

use salvo::http::{HeaderValue, StatusCode, header};
use salvo::oapi::{
    Components, Content, EndpointOutRegister, Operation, Response as Documented, ToSchema,
};
use salvo::{Depot, Request, Response, Writer, async_trait};
use serde::Serialize;

use super::failures::may_fail;
use crate::auth::SetCookies;
use crate::telemetry::TraceContext;
use crate::{Error, Kind};

/// A success: the fields of `T` behind `"ok":true`.
#[derive(Debug)]
pub struct Answer<T> {
    body: T,
    cookies: SetCookies,
    link: Option<HeaderValue>,
}

/// A success without further fields.
#[derive(Debug, Serialize, ToSchema)]
pub struct Empty {}

impl<T> Answer<T> {
    /// An answer with this body.
    pub fn new(body: T) -> Self {
        Self { body, cookies: SetCookies::default(), link: None }
    }

    /// Adds cookies.
    #[must_use]
    pub fn with_cookies(self, cookies: SetCookies) -> Self {
        Self { cookies, ..self }
    }

    /// Adds the path of the next page in the header `link` (RFC 8288).
    #[must_use]
    pub fn with_next_page(self, path: &str) -> Self {
        let link = HeaderValue::try_from(format!("<{path}>; rel=\"next\"")).ok();
        Self { link, ..self }
    }
}

impl Answer<Empty> {
    /// `{"ok":true}`.
    pub fn ok() -> Self {
        Self::new(Empty {})
    }
}

#[derive(Serialize)]
struct Success<'a, T> {
    ok: bool,
    #[serde(flatten)]
    body: &'a T,
}

#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "Error"))]
pub(in crate::http) struct ErrorAnswer {
    /// Always `false`.
    ok: bool,
    error: FailureDetail,
}

#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "ErrorDetail"))]
struct FailureDetail {
    #[salvo(schema(schema_with = super::failures::codes))]
    code: &'static str,
    /// For developers; may be empty.
    message: String,
    /// The trace id of the request, if traces are exported; also in the header `x-trace-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl FailureDetail {
    fn of(error: &Error) -> Self {
        let (code, message) = (error.kind().code, error.message().to_owned());
        Self { code, message, trace_id: TraceContext::current().trace_id() }
    }
}

fn render(res: &mut Response, status: u16, body: &impl Serialize) {
    match serde_json::to_vec(body) {
        Ok(json) => {
            res.status_code(StatusCode::from_u16(status).unwrap_or_default());
            let json_type = HeaderValue::from_static("application/json");
            res.headers_mut().insert(header::CONTENT_TYPE, json_type);
            res.body(json);
        }
        Err(error) => {
            tracing::error!(%error, "an answer cannot be serialised as JSON");
            res.status_code(StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}

/// Answers with an error.
pub(crate) fn tell(res: &mut Response, error: &Error) {
    tell_as(res, error, error.status());
}

/// Refuses a socket's handshake with an error.
pub(crate) fn refuse_handshake(res: &mut Response, error: &Error) {
    tell_as(res, error, error.kind().handshake);
}

fn tell_as(res: &mut Response, error: &Error, status: u16) {
    render(res, status, &ErrorAnswer { ok: false, error: FailureDetail::of(error) });
    if matches!(status, 429 | 503) {
        let seconds = retry_after(error.retry_after().unwrap_or_default());
        res.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Whole seconds (RFC 9110, section 10.2.3), rounded up, so that a client that waits this long is not refused again.
fn retry_after(wait: Duration) -> u64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1)
}

/// An error as a complete HTTP response, for connections without a request that salvo could answer. The connection
/// closes after it.
pub(in crate::http) fn in_full(error: &Error) -> Vec<u8> {
    let failure = ErrorAnswer { ok: false, error: FailureDetail::of(error) };
    let body = serde_json::to_string(&failure).unwrap_or_default();
    let status = StatusCode::from_u16(error.status()).unwrap_or_default();
    let retry = if matches!(status.as_u16(), 429 | 503) { "retry-after: 1\r\n" } else { "" };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{retry}connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[async_trait]
impl<T: Serialize + Send + Sync> Writer for Answer<T> {
    async fn write(self, _: &mut Request, _: &mut Depot, res: &mut Response) {
        self.cookies.put_into(res);
        if let Some(link) = self.link {
            res.headers_mut().insert(header::LINK, link);
        }
        render(res, 200, &Success { ok: true, body: &self.body });
    }
}

#[async_trait]
impl Writer for Error {
    async fn write(self, _: &mut Request, _: &mut Depot, res: &mut Response) {
        tell(res, &self);
    }
}

impl<T: ToSchema> EndpointOutRegister for Answer<T> {
    fn register(components: &mut Components, operation: &mut Operation) {
        let schema = T::to_schema(components);
        let json = Documented::new("Success: these fields behind `\"ok\":true`.")
            .add_content("application/json", Content::new(schema));
        operation.responses.insert("200", json);
    }
}

impl EndpointOutRegister for Error {
    fn register(components: &mut Components, operation: &mut Operation) {
        may_fail(components, operation, &[Kind::UNKNOWN]);
    }
}

/// The error for a bare status of salvo (404, 405, 413 …), for the envelope.
pub(crate) fn of_status(status: StatusCode) -> Error {
    let kind = match status.as_u16() {
        404 => Kind::NOT_FOUND,
        405 => Kind::METHOD_NOT_ALLOWED,
        413 => Kind::PAYLOAD_TOO_LARGE,
        429 => Kind::TOO_MANY_REQUESTS,
        408 | 503 => Kind::UNAVAILABLE,
        400..=499 => Kind::BAD_REQUEST,
        _ => Kind::UNKNOWN,
    };
    kind.into()
}
