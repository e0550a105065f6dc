//! What every answer tells a browser to allow, errors and redirections included. A page replaces the content policy
//! by its own.

use salvo::http::{HeaderName, HeaderValue, header};
use salvo::{Depot, Handler, Request, Response, async_trait};

/// JSON is no page: a browser that is led to it may not take it for one, frame it, or run anything in it. Addresses may
/// hold tokens of lobbies, so no other site is told where a player comes from. Answers hold personal data and cookies,
/// so no cache keeps them.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Puts the headers on every answer, before anything else can end it.
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
