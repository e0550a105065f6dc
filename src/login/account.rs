//! From a person who is known to an account with cookies.

use crate::Error;
use crate::auth::{Bearer, SetCookies, fingerprint};
use crate::game::{User, UserType};
use crate::module::Cx;
use crate::records::StoredToken;

/// Logs a registered player in on one more device: makes the account if it is new, follows the name, and
/// gives the account what the guest who has logged in has just raced. Returns the cookies.
///
/// # Errors
/// `UNKNOWN_ERROR` or `SERVICE_UNAVAILABLE`, if something could not be written; trying again is fine.
pub async fn log_in(cx: &Cx, user: &User, before: Option<Bearer>) -> Result<SetCookies, Error> {
    let now = cx.now();
    cx.records().register(&user.id, &user.name, now).await?;
    if let Some(guest) = before.filter(|it| it.user.user_type == UserType::Guest) {
        let games = cx.live().hand_over(&guest.user.id, user).await?;
        tracing::debug!(games = games.len(), "races of a guest have become those of an account");
    }
    let refresh = cx.keys().issue_refresh(user, now)?;
    let login = cx.records().log_in(&user.id, &stored(cx, &refresh)).await?;
    let access = cx.keys().issue(user, Some(&login), now)?;
    let (settings, cookies) = (cx.settings(), SetCookies::default());
    Ok(cookies
        .access_token(settings, &access)
        .refresh_token(settings, &refresh)
        .name(settings, &user.name))
}

/// What is stored of a refresh token that is issued now.
pub fn stored(cx: &Cx, token: &str) -> StoredToken {
    let issued = cx.now();
    let expires = issued + cx.settings().token.refresh_duration;
    StoredToken { fingerprint: fingerprint(token), issued, expires }
}

/// Whether players may have an account of this server, by name and password: if the operator says so, or
/// says nothing and there is no other way to log in to a server that is alone.
pub fn offers_local_accounts(cx: &Cx) -> bool {
    let is_alone = cx.settings().db.is_none();
    let otherwise = || is_alone && cx.providers().configured().next().is_none();
    cx.settings().auth.local.unwrap_or_else(otherwise)
}
