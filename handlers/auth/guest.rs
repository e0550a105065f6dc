//! Creates or renames a guest before the lobby: for a chosen name, or just for the cookie.

use salvo::oapi::{ToSchema, endpoint};
use salvo::{Request, Writer};
use serde::{Deserialize, Serialize};

use crate::auth::{Cookies, SetCookies};
use crate::game::{User, UserId, UserType};
use crate::http::{Answer, Body};
use crate::login::{refusal, shown_name, two_words};
use crate::module::Cx;
use crate::{Error, Kind};

/// Characters of a name, which has to fit beside a caret.
const NAME: std::ops::RangeInclusive<usize> = 1..=20;

#[derive(Deserialize, ToSchema)]
#[salvo(schema(name = "GuestName"))]
pub(super) struct Wish {
    /// The guest's name, 1 to 20 characters. If left out, a new guest gets a name of two random words, and a known
    /// guest keeps the name.
    #[salvo(schema(min_length = 1, max_length = 20))]
    name: Option<String>,
}

impl Wish {
    /// The name as other players see it, if the request has one.
    fn check(self) -> Result<Option<String>, Error> {
        let Some(name) = self.name else { return Ok(None) };
        let fits = |name: &str| NAME.contains(&name.chars().count());
        let name = Some(name).filter(|name| fits(name));
        let name = name.and_then(|name| shown_name(&name)).filter(|name| fits(name));
        let name =
            name.ok_or_else(|| Error::validation("body name: must have 1 to 20 characters"))?;
        if let Some(why) = refusal(&name) {
            return Err(Error::validation(format!("body name: {why}")));
        }
        Ok(Some(name))
    }
}

/// The guest.
#[derive(Serialize, ToSchema)]
pub(super) struct Guest {
    id: String,
    /// The guest's name, from the next lobby on.
    name: String,
}

impl Guest {
    fn of(user: User) -> Self {
        Self { id: user.id.to_string(), name: user.name }
    }
}

/// Creates a guest for a caller without a valid access token, or renames the guest who calls it. The access token
/// is set as a cookie.
#[endpoint(tags("auth"))]
pub(super) async fn introduce(
    cx: Cx,
    wish: Body<Wish>,
    cookies: SetCookies,
    req: &mut Request,
) -> Result<Answer<Guest>, Error> {
    let wished = wish.0.check()?;
    let known = cx.bearer(Cookies::of(req).access_token()).ok();
    let user = match known.map(|bearer| bearer.user) {
        Some(User { user_type: UserType::Registered, .. }) => return Err(Kind::NOT_A_GUEST.into()),
        Some(guest) => match wished.filter(|name| *name != guest.name) {
            None => return Ok(Answer::new(Guest::of(guest))),
            Some(name) => {
                cx.spend_guest(req)?;
                User { name, ..guest }
            }
        },
        None => {
            cx.spend_guest(req)?;
            let name = wished.unwrap_or_else(|| two_words(rand::random()));
            User { id: UserId::new_guest(), name, user_type: UserType::Guest }
        }
    };
    let token = cx.keys().issue(&user, None, cx.now()).await?;
    Ok(Answer::new(Guest::of(user)).with_cookies(cookies.access_token(&token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_can_be_seen_of_it_and_short() {
        let check = |name: &str| Wish { name: Some(name.into()) }.check();
        let twenty = "é".repeat(20);
        for (name, shown) in
            [("A", "A"), ("  Anna\n Lena ", "Anna Lena"), (&twenty, &twenty), ("bot", "bot")]
        {
            assert_eq!(check(name).unwrap().as_deref(), Some(shown), "{name:?}");
        }
        for name in [
            "",
            "  ",
            "\u{200B}",
            &"é".repeat(21),
            &"x".repeat(100),
            "Anna (bot)",
            "Anna( BOT )",
            "Аnna",
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert!(Wish { name: None }.check().unwrap().is_none());
    }
}
