//! Redirects.

use salvo::http::{HeaderValue, StatusCode, header};
use salvo::oapi::schema::BasicType;
use salvo::oapi::{
    Components, EndpointOutRegister, Header, Object, Operation, Response as Documented,
};
use salvo::{Depot, Request, Response, Writer, async_trait};

use crate::auth::SetCookies;

/// `307`, without a body.
#[derive(Debug)]
pub struct Redirect {
    to: String,
    cookies: SetCookies,
}

impl Redirect {
    /// Redirects to this URL.
    pub fn to(to: impl Into<String>) -> Self {
        Self { to: to.into(), cookies: SetCookies::default() }
    }

    /// Adds cookies.
    #[must_use]
    pub fn with_cookies(self, cookies: SetCookies) -> Self {
        Self { cookies, ..self }
    }
}

#[async_trait]
impl Writer for Redirect {
    async fn write(self, _: &mut Request, _: &mut Depot, res: &mut Response) {
        self.cookies.put_into(res);
        match HeaderValue::try_from(self.to) {
            Ok(location) => {
                res.status_code(StatusCode::TEMPORARY_REDIRECT);
                res.headers_mut().insert(header::LOCATION, location);
            }
            Err(_) => {
                tracing::error!("a redirect to an invalid URL");
                res.status_code(StatusCode::INTERNAL_SERVER_ERROR);
            }
        }
    }
}

impl EndpointOutRegister for Redirect {
    fn register(_: &mut Components, operation: &mut Operation) {
        operation.responses.insert(
            "307",
            Documented::new("The browser goes elsewhere.")
                .add_header("Location", Header::new(Object::with_type(BasicType::String))),
        );
    }
}
