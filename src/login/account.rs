//! From a person who is known to an account with cookies.

use crate::Error;
use crate::auth::{Bearer, SetCookies, fingerprint};
use crate::game::{GuestLoggedIn, LoginEnded, User, UserId, UserType};
use crate::module::Cx;
use crate::records::{Begun, StoredToken};

/// Logs a registered player in on one more device: makes the account if it is new, follows the name if
/// one is known, and gives the account what the guest who has logged in has just raced. Returns
/// `cookies` with those of the login. The module that calls it declares [`GuestLoggedIn`] and [`LoginEnded`].
///
/// # Errors
/// `UNKNOWN_ERROR` or `SERVICE_UNAVAILABLE`, if something could not be written; trying again is fine.
pub async fn log_in(
    cx: &Cx,
    id: UserId,
    name: Option<String>,
    before: Option<Bearer>,
    cookies: SetCookies,
) -> Result<SetCookies, Error> {
    let its = cx.clone();
    cx.carry(async move { logged_in(&its, id, name, before, cookies).await }).await
}

async fn logged_in(
    cx: &Cx,
    id: UserId,
    name: Option<String>,
    before: Option<Bearer>,
    cookies: SetCookies,
) -> Result<SetCookies, Error> {
    let now = cx.now();
    let name = cx.records().register(&id, name.as_deref(), now).await?;
    let user = User { id, name, user_type: UserType::Registered };
    if let Some(guest) = before.filter(|it| it.user.user_type == UserType::Guest) {
        let guest = guest.user.id;
        if !cx.live().hand_over(&guest, &user).await?.is_empty() {
            // Its sockets come back, as those of the account.
            cx.publish(GuestLoggedIn { guest, account: user.id.clone() }).await;
        }
    }
    let refresh = cx.keys().issue_refresh(&user, now)?;
    let Begun { login, ended } = cx.records().log_in(&user.id, &stored(cx, &refresh)).await?;
    let ended = ended.into_iter().map(|it| LoginEnded { user: user.id.clone(), login: Some(it) });
    cx.publish(ended.collect::<Vec<_>>()).await;
    let access = cx.keys().issue(&user, Some(&login), now)?;
    Ok(cookies.access_token(&access).refresh_token(cx.settings(), &refresh).name(&user.name))
}

/// What is stored of a refresh token that is issued now.
pub fn stored(cx: &Cx, token: &str) -> StoredToken {
    let issued = cx.now();
    let expires = issued + cx.settings().token.refresh_duration;
    StoredToken { fingerprint: fingerprint(token), issued, expires }
}

/// Where a player logs in by name and password.
pub const LOCAL_LOGIN: &str = "/api/v1/auth/local/login";

/// Whether players may have an account of this server, by name and password: if there is a module for it,
/// and the operator says so, or says nothing and there is no other way to log in to a server that is alone.
pub fn offers_local_accounts(cx: &Cx) -> bool {
    let is_there = cx.has_route(LOCAL_LOGIN);
    let is_alone = cx.settings().db.is_none();
    let otherwise = || is_alone && cx.providers().configured().next().is_none();
    is_there && cx.settings().auth.local.unwrap_or_else(otherwise)
}
