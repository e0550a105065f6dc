//! Security headers of every answer, including errors and redirects. A page replaces the content security policy by its
//! own.

use salvo::http::{HeaderName, HeaderValue, header};
use salvo::{Depot, Handler, Request, Response, async_trait};

/// JSON is not a page: browsers must not sniff, frame or execute it. URLs may contain invite tokens, so no referrer is
/// sent to other sites. Answers contain personal data and cookies, so they must not be cached.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Sets the headers on every answer, before any other handler can end it.
pub(super) struct Policy;

#[async_trait]
impl Handler for Policy {
    async fn handle(
        &self,
        _: &mut Request,
        _: &mut Depot,
        res: &mut Response,
        _: &mut salvo::FlowCtrl,
    ) {
        for (name, value) in ALWAYS {
            res.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
}
