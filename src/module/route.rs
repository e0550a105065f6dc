//! A REST route as a module declares it.

use std::sync::Arc;

use salvo::Handler;
use salvo::http::Method;

use super::context::RouteEntry;
use crate::Kind;
use crate::auth::Role;
use crate::http::edge::Rate;

/// A REST route of a module.
pub struct Route {
    pub(crate) module: &'static str,
    pub(crate) entry: RouteEntry,
    pub(crate) endpoint: Arc<dyn Handler>,
    pub(crate) fails: Vec<Kind>,
    pub(crate) changes_state: bool,
}

impl Route {
    pub(crate) fn new(
        module: &'static str,
        method: Method,
        path: &'static str,
        endpoint: impl Handler,
    ) -> Self {
        let entry = RouteEntry { method, path, role: None, rate: None };
        let endpoint = Arc::new(endpoint);
        Self { module, entry, endpoint, fails: Vec::new(), changes_state: false }
    }

    /// Declares its own failures for the documentation, in addition to those of its arguments and of every route.
    pub fn fails(&mut self, kinds: &[Kind]) -> &mut Self {
        self.fails.extend_from_slice(kinds);
        self
    }

    /// Marks that its GET changes state. HEAD must be safe (RFC 9110, section 9.2.1), since link previews and scanners
    /// send it: it is answered without calling the endpoint.
    pub fn changes_state(&mut self) -> &mut Self {
        self.changes_state = true;
        self
    }

    /// Refuses callers without this role, before the endpoint runs: `NOT_PERMITTED`, or what is wrong with their token.
    pub fn requires(&mut self, role: Role) -> &mut Self {
        self.entry.role = Some(role);
        let token = [Kind::TOKEN_NOT_PROVIDED, Kind::INVALID_TOKEN, Kind::TOKEN_EXPIRED];
        self.fails(&token).fails(&[Kind::NOT_PERMITTED])
    }

    /// Refuses requests beyond this rate with `TOO_MANY_REQUESTS`. The budget is the caller's, or the address's if the
    /// request has no valid token; `limits.requests_per_second` applies before it. Each pod counts its own requests.
    pub fn at_most(&mut self, rate: Rate) -> &mut Self {
        self.entry.rate = Some(rate);
        self
    }
}
