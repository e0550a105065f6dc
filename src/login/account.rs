//! From an identified person to an account with cookies.

use crate::Error;
use crate::auth::{Bearer, SetCookies, fingerprint};
use crate::game::{GuestLoggedIn, LoginEnded, User, UserId, UserType};
use crate::module::context::Cx;
use crate::records::{Begun, StoredToken};

/// Logs a registered player in on one more device: creates the account if it is new, updates its name if one is given,
/// and hands it the races and items of the guest who logs in. Returns `cookies` with those of the login. The calling module must
/// declare [`GuestLoggedIn`] and [`LoginEnded`].
///
/// # Errors
/// `UNKNOWN_ERROR` or `SERVICE_UNAVAILABLE`, if a write failed; safe to retry.
pub async fn log_in(
    cx: &Cx,
    id: UserId,
    name: Option<String>,
    before: Option<Bearer>,
    cookies: SetCookies,
) -> Result<SetCookies, Error> {
    let its = cx.clone();
    cx.run_to_completion(async move { logged_in(&its, id, name, before, cookies).await }).await
}

async fn logged_in(
    cx: &Cx,
    id: UserId,
    name: Option<String>,
    before: Option<Bearer>,
    cookies: SetCookies,
) -> Result<SetCookies, Error> {
    let now = cx.now();
    let name = cx.all_records().register(&id, name.as_deref(), now).await?;
    let user = User { id, name, user_type: UserType::Registered };
    if let Some(guest) = before.filter(|it| it.user.user_type == UserType::Guest) {
        let guest = guest.user.id;
        cx.hand_over_items(&guest, &user).await?;
        if !cx.live().hand_over(&guest, &user).await?.is_empty() {
            // The guest's sockets reconnect, as those of the account.
            let account = user.id.clone();
            cx.publish(GuestLoggedIn { guest: guest.clone(), account }).await;
            // What followed from the facts of these races meanwhile was still the guest's.
            cx.hand_over_items(&guest, &user).await?;
        }
    }
    let refresh = cx.all_keys().issue_refresh(&user, now).await?;
    let Begun { login, ended } = cx.all_records().log_in(&user.id, &stored(cx, &refresh)).await?;
    let ended = ended.into_iter().map(|it| LoginEnded { user: user.id.clone(), login: Some(it) });
    cx.publish(ended.collect::<Vec<_>>()).await;
    let access = cx.all_keys().issue(&user, Some(&login), now).await?;
    Ok(cookies.access_token(&access).refresh_token(cx.settings(), &refresh).name(&user.name))
}

/// The stored form of a refresh token issued now.
pub fn stored(cx: &Cx, token: &str) -> StoredToken {
    let issued = cx.now();
    let expires = issued + cx.settings().token.refresh_duration;
    StoredToken { fingerprint: fingerprint(token), issued, expires }
}
