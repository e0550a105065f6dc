//! The header `Host`: exactly one in HTTP/1.1 (RFC 9112, section 3.2). Of two, a proxy and the server might each use a
//! different one.

use salvo::http::{Version, header};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use super::edge::tell;
use crate::{Error, Kind};

/// Refuses requests with several `Host` headers, or with none.
pub(super) struct OneHost;

#[async_trait]
impl Handler for OneHost {
    async fn handle(
        &self,
        req: &mut Request,
        _: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        let what = match (req.headers().get_all(header::HOST).iter().count(), req.version()) {
            (1, _) | (0, Version::HTTP_10 | Version::HTTP_09) => return,
            (0, _) => "host: is required",
            _ => "host: there are several",
        };
        tell(res, &Error::new(Kind::BAD_REQUEST, what));
        ctrl.skip_rest();
    }
}
