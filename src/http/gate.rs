//! Access to a handler module by HTTP: its requests and socket handshakes are refused while it is switched off, or if the
//! route requires a role or a rate that they do not keep; the others are measured, and fenced like its events.

use std::net::IpAddr;
use std::time::Instant;

use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use super::edge::{Budgets, tell};
use crate::auth::{Cookies, Role};
use crate::bus::{Owner, report_panic};
use crate::game::UserId;
use crate::module::context::{Cx, RouteEntry};
use crate::telemetry::{count, panics};
use crate::{Error, Kind};

/// The name of requests in metrics and in the log; the span has the route.
const REQUEST: &str = "request";

/// Wraps a route or a socket of a module.
pub(super) struct Gate {
    cx: Cx,
    role: Option<Role>,
    budgets: Option<Budgets<BudgetOwner>>,
}

/// Whose budget a request spends.
#[derive(PartialEq, Eq, Hash)]
enum BudgetOwner {
    Player(UserId),
    Address(IpAddr),
}

impl Gate {
    pub(super) fn of_socket(cx: &Cx) -> Self {
        Self { cx: cx.clone(), role: None, budgets: None }
    }

    pub(super) fn of_route(cx: &Cx, route: &RouteEntry) -> Self {
        Self { cx: cx.clone(), role: route.role, budgets: route.rate.map(Budgets::at) }
    }

    fn check(&self, req: &Request) -> Result<(), Error> {
        let cx = &self.cx;
        if !cx.takes(REQUEST) {
            let why = format!("the handler module {} is switched off", cx.module());
            return Err(Error::new(Kind::UNAVAILABLE, why));
        }
        let bearer = || cx.bearer(Cookies::of(req).access_token());
        if let Some(role) = self.role
            && cx.role_of(&bearer()?.user) < role
        {
            let why = format!("only for accounts with the role of {role}");
            return Err(Error::new(Kind::NOT_PERMITTED, why));
        }
        let Some(budgets) = &self.budgets else { return Ok(()) };
        let caller = bearer().map(|bearer| BudgetOwner::Player(bearer.user.id));
        let caller = caller.unwrap_or_else(|_| BudgetOwner::Address(cx.address(req)));
        let spent = budgets.spend(caller);
        spent.map_err(|wait| Error::too_many("too many requests of this kind", wait))
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
        let cx = &self.cx;
        if let Err(error) = self.check(req) {
            tell(res, &error);
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

#[cfg(test)]
mod tests {

    use super::*;
    use crate::game::{User, UserType};
    use crate::http::edge::Rate;
    use crate::testing::Server;

    /// A request with the token of this account.
    async fn request(cx: &Cx, id: &str) -> Request {
        let user = User { id: id.into(), name: id.into(), user_type: UserType::Registered };
        let token = cx.all_keys().issue(&user, None, cx.now()).await.expect("a token");
        let mut request = Request::default();
        request.cookies_mut().add(("TP_AT", token));
        request
    }

    fn route(role: Option<Role>, rate: Option<Rate>) -> RouteEntry {
        RouteEntry { method: salvo::http::Method::GET, path: "/x", role, rate }
    }

    #[tokio::test]
    async fn a_route_requires_a_role_and_keeps_a_rate() {
        let server = Server::with(|settings| settings.auth.organisers = vec!["anna".into()]).await;
        let cx = server.cx("test");
        let (anna, ben) = (request(&cx, "anna").await, request(&cx, "ben").await);
        let stranger = Request::default();
        let kind = |gate: &Gate, req| gate.check(req).map_err(|error| error.kind());

        let gate = Gate::of_route(&cx, &route(Some(Role::Organiser), None));
        assert_eq!(kind(&gate, &anna), Ok(()));
        assert_eq!(kind(&gate, &ben), Err(Kind::NOT_PERMITTED));
        assert_eq!(kind(&gate, &stranger), Err(Kind::TOKEN_NOT_PROVIDED));

        let gate = Gate::of_route(&cx, &route(None, Some(Rate::per_minute(2))));
        for caller in [&anna, &ben, &stranger] {
            assert_eq!((kind(&gate, caller), kind(&gate, caller)), (Ok(()), Ok(())));
            assert_eq!(kind(&gate, caller), Err(Kind::TOO_MANY_REQUESTS));
        }
    }
}
