//! Identities: guests get their cookies, players log in at a provider and stay logged in, and log
//! out.

mod guest;
mod login;
mod token;

use salvo::http::Method;
use salvo::oapi::{ToSchema, endpoint};
use salvo::{Request, Response, Writer};
use serde::Serialize;

use crate::auth::{Cookies, SetCookies};
use crate::game::{GuestLoggedIn, LoginEnded, PlayerForgotten, User};
use crate::handlers::shared::PasswordAccounts;
use crate::http::{Answer, Empty, Key};
use crate::module::{Cx, Module, Need, Wiring};
use crate::socket::SocketsOf;
use crate::{Error, Kind};

inventory::submit! { Module { name: "auth", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.needs(Need::Keys);
    module.needs(Need::Providers);
    module.needs(Need::Records);
    module
        .get("/api/v1/auth/guest-token", guest_token)
        .fails(&[Kind::KEY_NOT_FOUND, Kind::ORIGIN_NOT_ALLOWED]);
    module.post("/api/v1/auth/guest", guest::introduce).fails(&[Kind::NOT_A_GUEST]);
    module.post("/api/v1/auth/logout", logout);
    module.post("/api/v1/auth/token-refresh", token_refresh).fails(&[
        Kind::TOKEN_NOT_PROVIDED,
        Kind::INVALID_TOKEN,
        Kind::REFRESH_TOKEN_MISMATCH,
    ]);
    module.get("/api/v1/auth/providers", providers);
    module.get("/api/v1/auth/{provider}/login", login::login).changes_state();
    module.get("/api/v1/auth/{provider}/login-redirect", login::login_redirect).changes_state();
    module.emits::<LoginEnded>();
    module.emits::<GuestLoggedIn>();
    module
        .closes::<LoginEnded>(|it| SocketsOf::Login(&it.user, it.login.as_ref()), Kind::LOGGED_OUT);
    module.closes::<GuestLoggedIn>(|it| SocketsOf::Player(&it.guest), Kind::LOGGED_IN);
    module.closes::<PlayerForgotten>(|it| SocketsOf::Player(&it.user), Kind::LOGGED_OUT);
}

/// Sets a guest's access token as a cookie. The key comes from the lobby's `GET_TOKEN` and can be used
/// once, within a minute. A caller with a valid access token keeps that token, and the key stays valid. Pages of other sites,
/// and links on them, are refused, since they could make their visitors play as another guest.
#[endpoint(tags("auth"))]
async fn guest_token(
    cx: Cx,
    key: Key,
    cookies: SetCookies,
    req: &mut Request,
) -> Result<Answer<Empty>, Error> {
    if !cx.asked_by_own_page(req) {
        return Err(Error::new(Kind::ORIGIN_NOT_ALLOWED, "only pages of this site may do that"));
    }
    let is_known = cx.bearer(Cookies::of(req).access_token()).is_ok();
    // HEAD is safe (RFC 9110, section 9.2.1): link previews and scanners must not use the key up.
    if is_known || req.method() == Method::HEAD {
        return Ok(Answer::ok());
    }
    let guest =
        cx.live().take_one_time::<User>(&key.0, cx.now()).await?.ok_or(Kind::KEY_NOT_FOUND)?;
    let token = cx.keys().issue(&guest, None, cx.now()).await?;
    Ok(Answer::ok().with_cookies(cookies.access_token(&token)))
}

/// Logs out: ends the login of the access token, closes its sockets and removes the cookies. Always succeeds.
#[endpoint(tags("auth"))]
async fn logout(cx: Cx, req: &mut Request) -> Answer<Empty> {
    if let Some(bearer) = cx.former_bearer(Cookies::of(req).access_token()) {
        let work = token::end(cx.clone(), bearer);
        if let Err(error) = cx.run_to_completion(work).await {
            // Without the cookies, this browser is logged out all the same.
            tracing::warn!(%error, "the login could not be ended");
        }
    }
    Answer::ok().with_cookies(SetCookies::default().forget_all(cx.settings()))
}

/// Exchanges the refresh token in `TP_RT` for a new access token and a new refresh token. Only registered
/// players have one. A refusal removes the cookie with the name, too, so that the page does not look
/// logged in.
#[endpoint(tags("auth"))]
async fn token_refresh(
    cx: Cx,
    cookies: SetCookies,
    req: &mut Request,
    res: &mut Response,
) -> Result<Answer<Empty>, Error> {
    let shown = Cookies::of(req).refresh_token().map(str::to_owned);
    let refreshed = cx.run_to_completion(token::refresh(cx.clone(), shown, cookies)).await;
    if refreshed.as_ref().is_err_and(|error| error.status() < 500) {
        SetCookies::default().forget_name().put_into(res);
    }
    Ok(Answer::ok().with_cookies(refreshed?))
}

#[derive(Serialize, ToSchema)]
struct Ways {
    /// Identity providers; each is at `/api/v1/auth/{name}/login`.
    providers: Vec<Way>,
    /// Whether players can create accounts with name and password.
    local: bool,
}

#[derive(Serialize, ToSchema)]
struct Way {
    name: String,
    title: String,
}

/// Lists the ways to log in to this server.
#[endpoint(tags("auth"))]
async fn providers(cx: Cx) -> Result<Answer<Ways>, Error> {
    let configured = cx.providers().configured();
    let ways = configured.map(|it| Way { name: it.name.clone(), title: it.title.clone() });
    let ways = ways.collect();
    let local = cx.ask(PasswordAccounts).await?.unwrap_or(false);
    Ok(Answer::new(Ways { providers: ways, local }))
}
