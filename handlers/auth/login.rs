//! A login at an identity provider: the browser is redirected there, and comes back with a code.
//!
//! Every failure redirects to the operator's error page, with a `reason` that it can show.

use salvo::extract::Metadata;
use salvo::oapi::{Components, EndpointArgRegister, Operation, ParameterIn, endpoint};
use salvo::{Depot, Extractible, Request, Writer};
use serde::{Deserialize, Serialize};

use crate::auth::{ATTEMPT_MAX_AGE, Cookies, SetCookies};
use crate::http::{Query, Redirect, may_fail, no_metadata, text_parameter};
use crate::live::OneTime;
use crate::login::{Attempt, LoginFailure, Provider, log_in};
use crate::module::Cx;
use crate::{Error, Kind};

/// A login in progress, stored under its `state`.
#[derive(Serialize, Deserialize)]
struct UnderWay {
    provider: String,
    /// The value of the browser's cookie.
    browser: String,
    attempt: Attempt,
}

impl OneTime for UnderWay {
    const KIND: &'static str = "login";
}

/// The provider named in the path.
pub(super) struct Named(Provider);

impl<'ex> Extractible<'ex> for Named {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        let cx = <Cx as Extractible>::extract(req, depot).await?;
        let name = req.params().get("provider").cloned().unwrap_or_default();
        let unknown = || Error::validation("path parameter provider: unknown provider");
        cx.providers().get(&name).cloned().map(Self).ok_or_else(unknown)
    }
}

impl EndpointArgRegister for Named {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let about = "An identity provider, such as google.";
        let parameter = text_parameter("provider", about).location(ParameterIn::Path);
        operation.parameters.insert(parameter.required(true));
        may_fail(components, operation, &[Kind::VALIDATION, Kind::NOT_FOUND]);
    }
}

/// The query with which a provider redirects the browser back.
pub(super) struct Return {
    state: String,
    outcome: Result<String, LoginFailure>,
}

impl<'ex> Extractible<'ex> for Return {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let query = Query::of(req);
        let missing = |name| Error::validation(format!("query parameter {name}: is required"));
        let state = query.text("state").unwrap_or_default().to_owned();
        let outcome = match query.text("error") {
            Some("access_denied") => Err(LoginFailure::AccessDenied),
            Some(_) => Err(LoginFailure::ProviderError),
            None if state.is_empty() => return Err(missing("state")),
            None => Ok(query.text("code").ok_or_else(|| missing("code"))?.to_owned()),
        };
        Ok(Self { state, outcome })
    }
}

impl EndpointArgRegister for Return {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        for (name, about) in [
            ("state", "The `state` from the start of the login."),
            ("code", "The provider's single-use authorization code."),
            ("error", "The provider's error, instead of a code (RFC 6749, section 4.1.2.1)."),
        ] {
            operation.parameters.insert(text_parameter(name, about));
        }
        may_fail(components, operation, &[Kind::VALIDATION]);
    }
}

/// Redirects the browser to an identity provider.
#[endpoint(tags("auth"))]
pub(super) async fn login(
    cx: Cx,
    provider: Named,
    cookies: SetCookies,
    req: &mut Request,
) -> Redirect {
    let begun = match cx.spend_login(req) {
        Ok(()) => in_time(&cx, begin(&cx, &provider.0, cookies)).await,
        Err(_) => Err(LoginFailure::TooManyRequests),
    };
    begun.unwrap_or_else(|failure| to_error_page(&cx, failure))
}

async fn begin(
    cx: &Cx,
    provider: &Provider,
    cookies: SetCookies,
) -> Result<Redirect, LoginFailure> {
    let identity = provider.identity.as_ref().ok_or(LoginFailure::NotConfigured)?;
    let attempt = Attempt::new();
    let to = identity.authorize(&attempt).await?;
    let (state, until) = (attempt.state.clone(), cx.now() + ATTEMPT_MAX_AGE);
    let browser = format!("{:032x}", rand::random::<u128>());
    let cookies = cookies.attempt(&state, &browser);
    let under_way = UnderWay { provider: provider.name.clone(), browser, attempt };
    cx.live()
        .store_one_time(&state, &under_way, until)
        .await
        .map_err(|_| LoginFailure::ServerError)?;
    Ok(Redirect::to(to).with_cookies(cookies))
}

/// Completes a login when the provider redirects the browser back: sets the cookies and redirects to the frontend, or to its error page.
#[endpoint(tags("auth"))]
pub(super) async fn login_redirect(
    cx: Cx,
    provider: Named,
    back: Return,
    cookies: SetCookies,
    req: &mut Request,
) -> Redirect {
    let state = back.state.clone();
    let finished = match cx.spend_login_return(req) {
        Ok(()) => in_time(&cx, finish(&cx, &provider.0, back, &Cookies::of(req), cookies)).await,
        // The `state` stays valid, so that reloading the same URL succeeds a moment later.
        Err(_) => Err(LoginFailure::TooManyRequests),
    };
    match finished {
        Ok(cookies) => {
            Redirect::to(cx.settings().front_end()).with_cookies(cookies.forget_attempt(&state))
        }
        Err(failure) => to_error_page(&cx, failure),
    }
}

async fn finish(
    cx: &Cx,
    provider: &Provider,
    back: Return,
    shown: &Cookies<'_>,
    cookies: SetCookies,
) -> Result<SetCookies, LoginFailure> {
    let identity = provider.identity.as_ref().ok_or(LoginFailure::NotConfigured)?;
    let under_way = cx.live().take_one_time::<UnderWay>(&back.state, cx.now()).await;
    let under_way = under_way.map_err(|_| LoginFailure::ServerError)?;
    let code = back.outcome?;
    let known = under_way.filter(|it| it.provider == provider.name);
    let UnderWay { browser, attempt, .. } = known.ok_or(LoginFailure::UnknownState)?;
    // Otherwise an attacker could log others in to the attacker's account (RFC 6749, section 10.12).
    if shown.attempt(&attempt.state) != Some(&browser) {
        return Err(LoginFailure::OtherBrowser);
    }
    let person = identity.identify(&code, &attempt).await?;
    let id = format!("{}-{}", provider.name, person.subject());
    let name = person.name().map(str::to_owned);
    let before = cx.bearer(shown.access_token()).ok();
    let logged_in = log_in(cx, id.as_str().into(), name, before, cookies);
    logged_in.await.map_err(|_| LoginFailure::ServerError)
}

/// Limits the wait for a provider, so that the browser gets the error page before the request times out.
async fn in_time<T>(
    cx: &Cx,
    work: impl Future<Output = Result<T, LoginFailure>>,
) -> Result<T, LoginFailure> {
    let patience = cx.settings().limits.request_timeout.mul_f32(0.8);
    tokio::time::timeout(patience, work).await.unwrap_or(Err(LoginFailure::ProviderUnavailable))
}

fn to_error_page(cx: &Cx, failure: LoginFailure) -> Redirect {
    tracing::info!(reason = failure.code(), "a login failed");
    let page = cx.settings().error_page();
    let joint = if page.contains('?') { '&' } else { '?' };
    Redirect::to(format!("{page}{joint}reason={}", failure.code()))
}
