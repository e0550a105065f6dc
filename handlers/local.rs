//! Accounts of this server, by name and password: so that a class or an office has profiles without
//! anybody else's identity provider. On where the setting `auth.local` says so, and by itself on a server
//! that is alone and has no provider.

use std::net::IpAddr;

use salvo::oapi::{ToSchema, endpoint};
use salvo::{Request, Writer};
use serde::Deserialize;

use crate::auth::{Bearer, Cookies, password};
use crate::game::{User, UserId, UserType};
use crate::http::{Answer, Body, Budgets, Empty};
use crate::login::{log_in, offers_local_accounts};
use crate::module::{Cx, Module, Wiring};
use crate::{Error, Kind};

inventory::submit! { Module { name: "local", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(|_| Ok(Tries(Budgets::per_minute(TRIES_PER_MINUTE))));
    module.post("/api/v1/auth/local/register", register);
    module.post("/api/v1/auth/local/login", login);
}

/// Letters of a name.
const NAME: std::ops::RangeInclusive<usize> = 2..=32;
/// Letters of a password; at least so many as NIST SP 800-63B, section 3.1.1.2, wants.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=128;
/// How often one address may try one name.
const TRIES_PER_MINUTE: u32 = 10;

/// Who has tried which name.
struct Tries(Budgets<(IpAddr, String)>);

#[derive(Deserialize, ToSchema)]
struct Credentials {
    /// What others call the player: 2 to 32 letters. Upper and lower case are one name.
    name: String,
    /// 8 to 128 letters.
    password: String,
}

impl Credentials {
    fn check(&self) -> Result<(), Error> {
        let length = |text: &str| text.chars().count();
        if !NAME.contains(&length(self.name())) || self.name.chars().any(char::is_control) {
            return Err(Error::validation("body name: 2 to 32 letters are wanted"));
        }
        if !PASSWORD.contains(&length(&self.password)) {
            return Err(Error::validation("body password: 8 to 128 letters are wanted"));
        }
        Ok(())
    }

    fn name(&self) -> &str {
        self.name.trim()
    }

    /// What no two accounts share.
    fn key(&self) -> String {
        self.name().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    }
}

/// Makes an account, and logs its player in.
#[endpoint(tags("auth"))]
async fn register(
    cx: Cx,
    credentials: Body<Credentials>,
    req: &mut Request,
) -> Result<Answer<Empty>, Error> {
    let credentials = credentials.0;
    come_in(&cx, req, &credentials)?;
    credentials.check()?;
    let hash = password::hash(credentials.password.clone()).await?;
    let id = UserId::from(format!("local-{:032x}", rand::random::<u128>()).as_str());
    let name = credentials.name().to_owned();
    let user = User { id, name, user_type: UserType::Registered };
    if !cx.records().open_account(&user, &credentials.key(), &hash, cx.now()).await? {
        return Err(Error::new(Kind::NAME_TAKEN, "somebody else has this name"));
    }
    let cookies = log_in(&cx, &user, before(&cx, req)).await?;
    Ok(Answer::ok().with_cookies(cookies))
}

/// Logs a player in by name and password.
#[endpoint(tags("auth"))]
async fn login(
    cx: Cx,
    credentials: Body<Credentials>,
    req: &mut Request,
) -> Result<Answer<Empty>, Error> {
    let credentials = credentials.0;
    come_in(&cx, req, &credentials)?;
    let (user, hash) = cx.records().local_account(&credentials.key()).await?.unzip();
    let is_right = password::verify(credentials.password, hash).await?;
    let wrong = || Error::new(Kind::WRONG_CREDENTIALS, "no account has this name and password");
    let user = user.filter(|_| is_right).ok_or_else(wrong)?;
    let cookies = log_in(&cx, &user, before(&cx, req)).await?;
    Ok(Answer::ok().with_cookies(cookies))
}

/// Whether one may try at all.
fn come_in(cx: &Cx, req: &Request, credentials: &Credentials) -> Result<(), Error> {
    if !offers_local_accounts(cx) {
        return Err(Error::new(Kind::NOT_FOUND, "this server has no accounts of its own"));
    }
    cx.spend_login(req)?;
    let tries = cx.state::<Tries>();
    let may_try = tries.0.spend((cx.address(req), credentials.key()));
    may_try.then_some(()).ok_or_else(|| Error::new(Kind::TOO_MANY_REQUESTS, "too many tries"))
}

/// Who the player was until now.
fn before(cx: &Cx, req: &Request) -> Option<Bearer> {
    cx.keys().access(Cookies::of(req).access_token(), cx.now()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(name: &str, password: &str) -> Credentials {
        Credentials { name: name.into(), password: password.into() }
    }

    #[test]
    fn names_that_look_alike_are_one() {
        let key = |name| credentials(name, "").key();
        assert_eq!(key(" Anna  Lena "), key("anna lena"));
        assert_ne!(key("annalena"), key("anna lena"));
    }

    #[test]
    fn a_name_and_a_password_have_a_fitting_length() {
        for (name, password, fits) in [
            ("Anna", "12345678", true),
            ("É!", "öööööööö", true),
            ("A", "12345678", false),
            ("  A  ", "12345678", false),
            ("A\nB", "12345678", false),
            (&"x".repeat(33), "12345678", false),
            ("Anna", "1234567", false),
            ("Anna", &"x".repeat(129), false),
        ] {
            assert_eq!(credentials(name, password).check().is_ok(), fits, "{name:?}");
        }
    }
}
