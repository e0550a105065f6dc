//! Identities: how a guest gets its cookie, and how anybody loses it.

use salvo::oapi::endpoint;
use salvo::{Request, Response, Writer};

use crate::auth::{Cookies, SetCookies};
use crate::http::{Answer, Empty, Key};
use crate::module::{Cx, Module, Wiring};
use crate::{Error, Kind};

inventory::submit! { Module { name: "auth", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.get("/api/v1/auth/guest-token", guest_token);
    module.post("/api/v1/auth/logout", logout);
    module.post("/api/v1/auth/token-refresh", token_refresh);
}

/// Hands a guest the access token, as a cookie. The key comes from the lobby's `GET_TOKEN`, and is good
/// once, for a minute.
#[endpoint(tags("auth"))]
async fn guest_token(cx: Cx, key: Key) -> Result<Answer<Empty>, Error> {
    let guest = cx.live().take_key(&key.0, cx.now()).await?;
    let token = cx.keys().issue(&guest, cx.now())?;
    Ok(Answer::ok().with_cookies(SetCookies::default().access_token(cx.settings(), &token)))
}

/// Takes the cookies away. Always succeeds.
#[endpoint(tags("auth"))]
async fn logout(cx: Cx) -> Answer<Empty> {
    Answer::ok().with_cookies(SetCookies::default().forget_all(cx.settings()))
}

/// Gives a registered player a fresh access token for the refresh token in `TP_RT`. Guests have none,
/// and this server registers nobody: no token is stored that could be refreshed. A refusal takes the
/// name away too, so that the page does not show somebody as logged in who is not.
#[endpoint(tags("auth"))]
async fn token_refresh(
    cx: Cx,
    req: &mut Request,
    res: &mut Response,
) -> Result<Answer<Empty>, Error> {
    SetCookies::default().forget_name().put_into(res);
    cx.keys().refresh(Cookies::of(req).refresh_token(), cx.now())?;
    Err(Kind::REFRESH_TOKEN_MISMATCH.into())
}
