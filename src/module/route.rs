//! A REST route as a module declares it.

use std::sync::Arc;

use salvo::Handler;
use salvo::http::Method;

use crate::Kind;

/// A REST route of a module.
pub struct Route {
    pub(crate) module: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
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
        let endpoint = Arc::new(endpoint);
        Self { module, method, path, endpoint, fails: Vec::new(), changes_state: false }
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
}
