//! The caller of a request: the access check by the cookie `TP_AT`.

use salvo::extract::Metadata;
use salvo::oapi::{Components, EndpointArgRegister, Operation, SecurityRequirement};
use salvo::{Depot, Extractible, Request};

use super::edge::may_fail;
use super::extract::{cx_of, no_metadata};
use crate::auth::Cookies;
use crate::game::User;
use crate::{Error, Kind};

/// The user of the request's access token. As an argument of an endpoint it refuses requests without a valid token, so
/// it comes after query and body.
#[derive(Clone, Debug)]
pub struct Caller(pub User);

impl<'ex> Extractible<'ex> for Caller {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        let cx = cx_of(depot)?;
        Ok(Self(cx.bearer(Cookies::of(req).access_token())?.user))
    }
}

/// Documents that a route needs the cookie with the access token.
pub(super) fn require_token(operation: &mut Operation) {
    let cookie = SecurityRequirement::new("access_token", Vec::<String>::new());
    let securities = operation.securities.get_or_insert_default();
    if !securities.contains(&cookie) {
        securities.push(cookie);
    }
}

impl EndpointArgRegister for Caller {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        require_token(operation);
        let kinds = [Kind::TOKEN_NOT_PROVIDED, Kind::INVALID_TOKEN, Kind::TOKEN_EXPIRED];
        may_fail(components, operation, &kinds);
    }
}
