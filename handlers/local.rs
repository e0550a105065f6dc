//! Accounts with name and password on this server, so that a class or an office has profiles without
//! an identity provider. Controlled by the setting `auth.local`; by default on if the server has no `db`
//! and no provider.

use std::net::IpAddr;
use std::sync::Arc;

use salvo::oapi::{ToSchema, endpoint};
use salvo::{Request, Writer};
use serde::Deserialize;

use crate::auth::{Bearer, Cookies, SetCookies, password};
use crate::game::{GuestLoggedIn, LoginEnded, User, UserId, UserType};
use crate::handlers::shared::PasswordAccounts;
use crate::http::{Answer, Body, Budgets, Caller, Empty};
use crate::login::{log_in, name_key, refusal, shown_name};
use crate::module::{Cx, Module, Need, Wiring};
use crate::{Error, Kind};

inventory::submit! { Module { name: "local", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.needs(Need::Providers);
    module.needs(Need::Records);
    module.state(|_| {
        let (by_address, by_name) = TRIES_PER_MINUTE;
        let (by_address, by_name) = (Budgets::per_minute(by_address), Budgets::per_minute(by_name));
        Ok(Tries { by_address, by_name })
    });
    module
        .post("/api/v1/auth/local/register", register)
        .fails(&[Kind::NAME_TAKEN, Kind::NOT_FOUND]);
    module
        .post("/api/v1/auth/local/login", login)
        .fails(&[Kind::WRONG_CREDENTIALS, Kind::NOT_FOUND]);
    module.decides(0, offers_accounts);
    module
        .post("/api/v1/auth/local/password", change_password)
        .fails(&[Kind::WRONG_CREDENTIALS, Kind::NOT_FOUND]);
    module.emits::<LoginEnded>();
    module.emits::<GuestLoggedIn>();
}

/// Whether accounts can be created: if `auth.local` is on; by default, if the server has no `db` and no provider.
fn are_offered(cx: &Cx) -> bool {
    let is_alone = cx.settings().db.is_none();
    let otherwise = || is_alone && cx.providers().configured().next().is_none();
    cx.settings().auth.local.unwrap_or_else(otherwise)
}

async fn offers_accounts(cx: Cx, _: Arc<PasswordAccounts>) -> Result<Option<bool>, Error> {
    Ok(Some(are_offered(&cx)))
}

/// Characters of a name.
const NAME: std::ops::RangeInclusive<usize> = 2..=32;
/// Characters of a password; the minimum is that of NIST SP 800-63B, section 3.1.1.2.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=128;
/// Attempts at one name, per address and from all addresses.
const TRIES_PER_MINUTE: (u32, u32) = (10, 100);
const TOO_MANY: &str = "too many attempts";

/// Budgets of attempts, by name and address.
struct Tries {
    by_address: Budgets<(IpAddr, String)>,
    by_name: Budgets<String>,
}

#[derive(Deserialize, ToSchema)]
struct Credentials {
    /// The player's name, 2 to 32 characters. Names are unique, ignoring case.
    #[salvo(schema(min_length = 2, max_length = 32))]
    name: String,
    /// 8 to 128 characters.
    #[salvo(schema(min_length = 8, max_length = 128))]
    password: String,
}

impl Credentials {
    /// The name as other players see it.
    fn check(&self) -> Result<String, Error> {
        let fits = |name: &str| NAME.contains(&name.chars().count());
        let name = shown_name(&self.name).filter(|name| fits(name) && fits(&self.name));
        let name =
            name.ok_or_else(|| Error::validation("body name: must have 2 to 32 characters"))?;
        check_password(&self.password)?;
        Ok(name)
    }
}

fn check_password(password: &str) -> Result<(), Error> {
    let fits = PASSWORD.contains(&password.chars().count());
    let misfit = || Error::validation("body password: must have 8 to 128 characters");
    fits.then_some(()).ok_or_else(misfit)
}

/// Creates an account, and logs the player in.
#[endpoint(tags("auth"))]
async fn register(
    cx: Cx,
    credentials: Body<Credentials>,
    cookies: SetCookies,
    req: &mut Request,
) -> Result<Answer<Empty>, Error> {
    let (name, key) = come_in(&cx, req, &credentials.0)?;
    spend_name(&cx, key.clone())?;
    // Not checked at login: the account may be older than the rule.
    if let Some(why) = refusal(&name) {
        return Err(Error::validation(format!("body name: {why}")));
    }
    let address = address_of_login(&cx, req, &key);
    let hash = password::hash(credentials.0.password).await?;
    let id = UserId::from(format!("local-{:032x}", rand::random::<u128>()).as_str());
    let user = User { id, name, user_type: UserType::Registered };
    if !cx.records().open_account(&user, &key, &hash, cx.now()).await? {
        return Err(Error::new(Kind::NAME_TAKEN, "this name is already taken"));
    }
    let cookies = log_in(&cx, user.id.clone(), None, before(&cx, req), cookies).await?;
    note_address(&cx, user.id, address).await;
    Ok(Answer::ok().with_cookies(cookies))
}

/// Logs a player in with name and password.
#[endpoint(tags("auth"))]
async fn login(
    cx: Cx,
    credentials: Body<Credentials>,
    cookies: SetCookies,
    req: &mut Request,
) -> Result<Answer<Empty>, Error> {
    let (_, key) = come_in(&cx, req, &credentials.0)?;
    let others = spend_name(&cx, key.clone());
    let address = address_of_login(&cx, req, &key);
    let account = cx.records().local_account(&key, &address).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let is_right = password::verify(credentials.0.password, hash).await?;
    let account = account.filter(|_| is_right);
    // Attempts from elsewhere do not lock a player out at a known address. Checked only now, and for unknown names
    // too, so that neither status nor timing reveals which names exist.
    if account.as_ref().is_none_or(|account| !account.knows_address) {
        others?;
    }
    let wrong = || Error::new(Kind::WRONG_CREDENTIALS, "wrong name or password");
    let user = account.ok_or_else(wrong)?.user;
    let cookies = log_in(&cx, user.id.clone(), None, before(&cx, req), cookies).await?;
    note_address(&cx, user.id, address).await;
    Ok(Answer::ok().with_cookies(cookies))
}

/// The client's address as stored for a player: a keyed hash, which reveals neither the address nor whether two
/// players share one.
fn address_of_login(cx: &Cx, req: &Request, name_key: &str) -> String {
    cx.secret_of(&format!("the address of {name_key}: {}", cx.address(req)))
}

/// Stores an address. The login has succeeded even if this fails.
async fn note_address(cx: &Cx, user: UserId, address: String) {
    if let Err(error) = cx.records().note_address(&user, &address, cx.now()).await {
        tracing::warn!(%error, "the address of a login could not be stored");
    }
}

#[derive(Deserialize, ToSchema)]
struct PasswordChange {
    /// The current password.
    password: String,
    /// 8 to 128 characters.
    #[salvo(schema(min_length = 8, max_length = 128))]
    new_password: String,
}

/// Changes the caller's password, and ends the logins on all other devices.
#[endpoint(tags("auth"))]
async fn change_password(
    cx: Cx,
    change: Body<PasswordChange>,
    req: &mut Request,
    caller: Caller,
) -> Result<Answer<Empty>, Error> {
    let (change, user) = (change.0, caller.0.id);
    check_password(&change.new_password)?;
    spend_address(&cx, req, user.to_string())?;
    spend_name(&cx, user.to_string())?;
    let known = cx.records().password_of(&user).await?;
    if !password::verify(change.password, known).await? {
        return Err(Error::new(Kind::WRONG_CREDENTIALS, "wrong password"));
    }
    let hash = password::hash(change.new_password).await?;
    let (its, here) = (cx.clone(), before(&cx, req).and_then(|bearer| bearer.login));
    cx.run_to_completion(async move {
        let ended = its.records().change_password(&user, &hash, here.as_ref()).await?;
        let ended = ended.into_iter().map(|it| LoginEnded { user: user.clone(), login: Some(it) });
        its.publish(ended.collect::<Vec<_>>()).await;
        Ok(())
    })
    .await?;
    Ok(Answer::ok())
}

/// Spends the address's budgets; then returns the name, as other players see it and as it is compared.
fn come_in(cx: &Cx, req: &Request, credentials: &Credentials) -> Result<(String, String), Error> {
    if !are_offered(cx) {
        return Err(Error::new(Kind::NOT_FOUND, "this server has no local accounts"));
    }
    // First, to keep the keys of the budgets small.
    let name = credentials.check()?;
    let key = name_key(&name);
    spend_address(cx, req, key.clone())?;
    Ok((name, key))
}

/// Spends one attempt of this address, in total and at this name.
fn spend_address(cx: &Cx, req: &Request, key: String) -> Result<(), Error> {
    cx.spend_login(req)?;
    let spent = cx.state::<Tries>().by_address.spend((cx.address(req), key));
    spent.map_err(|wait| Error::too_many(TOO_MANY, wait))
}

/// Spends one attempt of all addresses at this name.
fn spend_name(cx: &Cx, key: String) -> Result<(), Error> {
    let spent = cx.state::<Tries>().by_name.spend(key);
    spent.map_err(|wait| Error::too_many(TOO_MANY, wait))
}

/// The player's identity before the login.
fn before(cx: &Cx, req: &Request) -> Option<Bearer> {
    cx.bearer(Cookies::of(req).access_token()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(name: &str, password: &str) -> Credentials {
        Credentials { name: name.into(), password: password.into() }
    }

    #[test]
    fn a_name_and_a_password_have_a_fitting_length() {
        for (name, password, fits) in [
            ("Anna", "12345678", true),
            ("É!", "öööööööö", true),
            ("A", "12345678", false),
            ("  A  ", "12345678", false),
            ("A\u{200B}", "12345678", false),
            (&"x".repeat(33), "12345678", false),
            ("Anna", "1234567", false),
            ("Anna", &"x".repeat(129), false),
        ] {
            assert_eq!(credentials(name, password).check().is_ok(), fits, "{name:?}");
        }
    }
}
