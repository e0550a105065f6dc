//! Which origins may call the API from a browser (the CORS protocol of the Fetch standard).

use std::collections::HashSet;

use salvo::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use super::answer::tell;
use crate::settings::{FRONT_END, Settings};
use crate::{Error, Kind};

/// How long a browser may cache the answer to a preflight, in seconds.
const MAX_AGE: &str = "600";
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// The origins that this server trusts.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// Origins whose pages may read answers.
    cors: HashSet<String>,
    /// The origin of the frontend.
    frontend: Option<String>,
}

impl Origins {
    pub(crate) fn of(settings: &Settings) -> Self {
        // Its default is trusted even if the built-in client is on, for developers of the frontend.
        let frontend = settings.front_end_endpoint.as_deref().unwrap_or(FRONT_END);
        let frontend = salvo::http::uri::Uri::try_from(frontend).ok();
        let frontend =
            frontend.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
        Self { cors: settings.cors.allow_origins.iter().cloned().collect(), frontend }
    }

    /// Whether a page of the request's origin may open sockets and change state. A request without an origin does not
    /// come from a foreign page, and a page of the same host is this server's own.
    pub(crate) fn trusts(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let same_host = origin.split_once("://").is_some_and(|(_, it)| Some(it) == host);
        same_host || self.cors.contains(origin) || self.frontend.as_deref() == Some(origin)
    }

    /// Whether a GET that changes state comes from an own page, not from a link or an image on another site. A
    /// navigation has no `Origin`, so Fetch Metadata decides (W3C, section 2.3): the same origin is accepted, or else a
    /// trusted `Origin`, such as a frontend on another port. Clients without that header are not browsers, are old, or
    /// use plain HTTP.
    pub(crate) fn own_page(&self, headers: &HeaderMap) -> bool {
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_own = matches!(site, None | Some(b"same-origin"));
        self.trusts(headers) && (is_own || headers.contains_key(header::ORIGIN))
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.cors.contains(origin))
    }
}

/// Sets the CORS headers, answers preflights, and refuses state changes by foreign pages.
pub(in crate::http) struct Cors(pub(in crate::http) Origins);

#[async_trait]
impl Handler for Cors {
    async fn handle(
        &self,
        req: &mut Request,
        depot: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        let Some(origin) = req.headers().get(header::ORIGIN).cloned() else { return };
        let allowed = self.0.allows(&origin);
        let headers = res.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
        let is_preflight = req.method() == Method::OPTIONS
            && req.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if is_preflight {
            preflight(req, res, allowed);
            ctrl.skip_rest();
        } else if !req.method().is_safe() && !self.0.trusts(req.headers()) {
            tell(
                res,
                &Error::new(
                    Kind::ORIGIN_NOT_ALLOWED,
                    "pages of this origin are not allowed to do that",
                ),
            );
            ctrl.skip_rest();
        } else {
            ctrl.call_next(req, depot, res).await;
        }
    }
}

fn preflight(req: &Request, res: &mut Response, allowed: bool) {
    let headers = res.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    if let Some(wanted) = req.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    if allowed {
        res.status_code(StatusCode::OK);
        res.render("OK");
    } else {
        res.status_code(StatusCode::BAD_REQUEST);
        res.render("Disallowed CORS origin");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_site_is_none_of_ours() {
        let mut settings = Settings::default();
        settings.cors.allow_origins = vec!["https://race.example".into()];
        let origins = Origins::of(&settings);
        for (site, origin, is_ours) in [
            (None, None, true),
            (Some("same-origin"), None, true),
            (Some("same-site"), None, false),
            (Some("same-site"), Some("https://race.example"), true),
            (Some("cross-site"), Some("https://race.example"), true),
            (Some("cross-site"), None, false),
            (Some("cross-site"), Some("https://evil.example"), false),
            (Some("same-origin"), Some("https://evil.example"), false),
            (None, Some("https://evil.example"), false),
            (None, Some("null"), false),
            // Typed into the address bar, or from a mail.
            (Some("none"), None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("api.example"));
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                value.map(|value| headers.insert(name, HeaderValue::from_static(value)));
            }
            assert_eq!(origins.own_page(&headers), is_ours, "{site:?} {origin:?}");
        }
    }
}
