//! Access to a handler module by HTTP: its requests and socket handshakes are refused while it is switched off,
//! measured, and fenced like its events.

use std::time::Instant;

use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use super::edge::tell;
use crate::bus::{Owner, report_panic};
use crate::module::context::Cx;
use crate::telemetry::{count, panics};
use crate::{Error, Kind};

/// The name of requests in metrics and in the log; the span has the route.
const REQUEST: &str = "request";

/// Wraps all routes and sockets of one module.
pub(super) struct Gate(Cx);

impl Gate {
    pub(super) fn of(cx: &Cx) -> Self {
        Self(cx.clone())
    }
}

#[async_trait]
impl Handler for Gate {
    async fn handle(
        &self,
        req: &mut Request,
        depot: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        let cx = &self.0;
        if !cx.takes(REQUEST) {
            let why = format!("the handler module {} is switched off", cx.module());
            tell(res, &Error::new(Kind::UNAVAILABLE, why));
            ctrl.skip_rest();
            return;
        }
        let begun = Instant::now();
        if let Err(caught) = panics::catch_in(ctrl.call_next(req, depot, res)).await {
            report_panic(cx, REQUEST, &caught);
            tell(res, &Kind::UNKNOWN.into());
            ctrl.skip_rest();
        }
        count::HANDLER_DURATION.observe([cx.module(), REQUEST], begun.elapsed());
    }
}
