//! Refresh tokens: each refresh replaces the token, until the login ends.

use crate::auth::{Bearer, SetCookies, fingerprint};
use crate::game::{LoginEnded, LoginId, User, UserType};
use crate::login::stored;
use crate::module::Cx;
use crate::records::{Refresh, StoredToken};
use crate::{Error, Kind};

/// Adds the cookies that replace a presented refresh token.
pub(super) async fn refresh(
    cx: Cx,
    shown: Option<String>,
    cookies: SetCookies,
) -> Result<SetCookies, Error> {
    let user = cx.keys().refresh(shown.as_deref(), cx.now())?;
    let shown = shown.unwrap_or_default();
    let new = cx.keys().issue_refresh(&user, cx.now()).await?;
    match replace(&cx, &user, &shown, &stored(&cx, &new)).await? {
        Refresh::Replaced { login, user } => {
            let access = cx.keys().issue(&user, Some(&login), cx.now()).await?;
            Ok(cookies.access_token(&access).refresh_token(cx.settings(), &new))
        }
        Refresh::Reused { login, user } => {
            tracing::warn!(%user, "a refresh token was reused; its login has been ended");
            cx.publish(LoginEnded { user, login: Some(login) }).await;
            Err(Kind::REFRESH_TOKEN_MISMATCH.into())
        }
        Refresh::Unknown => Err(Kind::REFRESH_TOKEN_MISMATCH.into()),
    }
}

async fn replace(cx: &Cx, user: &User, shown: &str, new: &StoredToken) -> Result<Refresh, Error> {
    let (records, print) = (cx.records(), fingerprint(shown));
    let known = records.refresh(&print, new).await?;
    if known != Refresh::Unknown {
        return Ok(known);
    }
    // The Python backend stored the token itself.
    let old = StoredToken { fingerprint: print.clone(), ..new.clone() };
    let known = records.refresh_clear(&user.id, shown, &old, new).await?;
    if known != Refresh::Unknown {
        return Ok(known);
    }
    // A concurrent request may just have migrated it.
    records.refresh(&print, new).await
}

/// Ends the login of an access token, and closes its sockets.
pub(super) async fn end(cx: Cx, bearer: Bearer) -> Result<(), Error> {
    let Bearer { user, login } = bearer;
    if user.user_type == UserType::Registered {
        forget(&cx, &user, login.as_ref()).await?;
    }
    cx.publish(LoginEnded { user: user.id, login }).await;
    Ok(())
}

async fn forget(cx: &Cx, user: &User, login: Option<&LoginId>) -> Result<(), Error> {
    match login {
        Some(login) => cx.records().log_out(&user.id, login).await,
        // A token of the Python backend, which stores one refresh token per player.
        None => cx.records().forget_clear(&user.id).await,
    }
}
