//! Access to the operations port: requests with the token; or, on loopback without one, programs of this machine.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use salvo::http::{HeaderValue, StatusCode, header};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use crate::http::tell;
use crate::settings::Settings;
use crate::telemetry::count;
use crate::{Error, Kind};

/// The cookie of a browser that has sent the token.
pub(super) const COOKIE: &str = "TP_OPERATIONS";

/// The credential that requests must have.
#[derive(Clone)]
pub(super) struct Access {
    token: Option<String>,
}

impl Access {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { token: settings.operations.token.as_ref().map(|token| token.expose().to_owned()) }
    }

    /// Whether this is the token, compared in constant time.
    pub(super) fn is_token(&self, given: &str) -> bool {
        let Some(token) = &self.token else { return false };
        // Compares digests, so that timing does not reveal the length either.
        let [token, given] = [token, given].map(|text| digest(&SHA256, text.as_bytes()));
        verify_slices_are_equal(token.as_ref(), given.as_ref()).is_ok()
    }

    /// The value of the cookie: a digest of the token, so that the browser does not keep the token itself.
    pub(super) fn cookie(&self) -> Option<String> {
        let text = format!("operations page: {}", self.token.as_ref()?);
        let hash = digest(&SHA256, text.as_bytes());
        Some(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether the request is authorised.
    pub(super) fn lets_in(&self, req: &Request) -> bool {
        let Some(cookie) = self.cookie() else { return names_this_machine(req) };
        let bearer = req.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let bearer = bearer.and_then(|it| it.strip_prefix("Bearer "));
        let own = req.cookies().get(COOKIE).map(|it| it.value().to_owned());
        let is_own =
            |own: String| verify_slices_are_equal(own.as_bytes(), cookie.as_bytes()).is_ok();
        bearer.is_some_and(|it| self.is_token(it.trim())) || own.is_some_and(is_own)
    }
}

/// Whether the `Host` is one of this machine's own names. Requests of a web page whose domain resolves to this machine
/// (DNS rebinding) fail this.
fn names_this_machine(req: &Request) -> bool {
    let host = req.headers().get(header::HOST).and_then(|it| it.to_str().ok());
    host.is_some_and(|host| is_loopback(name_of(host)))
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

fn is_loopback(name: &str) -> bool {
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[async_trait]
impl Handler for Access {
    async fn handle(
        &self,
        req: &mut Request,
        _: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        if self.lets_in(req) {
            return;
        }
        count::OPERATIONS_REFUSED.add(1);
        tell(res, &Error::new(Kind::TOKEN_NOT_PROVIDED, "operations.token is required"));
        res.status_code(StatusCode::UNAUTHORIZED);
        res.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        ctrl.skip_rest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(token: Option<&str>) -> Access {
        Access { token: token.map(str::to_owned) }
    }

    fn asking(headers: &[(header::HeaderName, &str)]) -> Request {
        let mut req = Request::new();
        for (name, value) in headers {
            req.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        req
    }

    #[test]
    fn with_a_token_only_that_token_lets_in() {
        let guarded = access(Some("sesame"));
        let bearer = |text: &str| guarded.lets_in(&asking(&[(header::AUTHORIZATION, text)]));
        assert!(bearer("Bearer sesame"));
        for wrong in ["Bearer sesam", "Bearer sesame2", "Bearer ", "sesame", "Basic sesame"] {
            assert!(!bearer(wrong), "{wrong}");
        }
        assert!(!guarded.lets_in(&asking(&[(header::HOST, "127.0.0.1:9091")])));
    }

    #[test]
    fn without_a_token_the_machine_must_be_called_by_its_own_name() {
        for (host, in_or_out) in [
            ("127.0.0.1:9091", true),
            ("localhost:9091", true),
            ("[::1]:9091", true),
            ("localhost", true),
            ("evil.example:9091", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(access(None).lets_in(&asking(&[(header::HOST, host)])), in_or_out, "{host}");
        }
    }
}
