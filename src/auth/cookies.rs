//! The three cookies: `TP_AT`, `TP_RT` and `USERNAME`.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use salvo::http::cookie::{Cookie, CookieJar};
use salvo::http::{HeaderValue, header};
use salvo::{Request, Response};

use crate::settings::Settings;

const ACCESS: &str = "TP_AT";
const REFRESH: &str = "TP_RT";
const NAME: &str = "USERNAME";

/// How long a browser keeps them. The access token may expire earlier, but the frontend needs its cookie then (to
/// refresh), so it lives as long as the others.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a login at a provider may take.
pub const ATTEMPT_MAX_AGE: Duration = Duration::from_secs(10 * 60);
/// Path of the login routes.
const AUTH: &str = "/api/v1/auth";

/// The cookie's name, with enough of the `state` to distinguish logins of one browser.
fn attempt_name(state: &str) -> String {
    format!("TP_LOGIN_{}", state.get(..16).unwrap_or(state))
}

/// Everything but letters, digits and `-_.~` (RFC 3986, unreserved characters).
const NAME_ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The cookies of a request.
pub struct Cookies<'a>(&'a CookieJar);

impl<'a> Cookies<'a> {
    pub(crate) fn of(request: &'a Request) -> Self {
        Self(request.cookies())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(Cookie::value).filter(|value| !value.is_empty())
    }

    /// The access token; `None` if empty.
    pub fn access_token(&self) -> Option<&'a str> {
        self.get(ACCESS)
    }

    /// The value that binds the login with this `state` to the browser.
    pub fn attempt(&self, state: &str) -> Option<&'a str> {
        self.get(&attempt_name(state))
    }

    /// The refresh token; `None` if empty.
    pub fn refresh_token(&self) -> Option<&'a str> {
        self.get(REFRESH)
    }
}

/// Cookies that an answer sets or clears. An endpoint takes them as an argument, so that `Secure` fits the request;
/// those of [`Default`] are always `Secure`.
#[derive(Debug)]
pub struct SetCookies {
    /// The suffix of each set cookie.
    secure: &'static str,
    lines: Vec<String>,
}

impl Default for SetCookies {
    fn default() -> Self {
        Self::of(true)
    }
}

impl SetCookies {
    /// No cookies yet; those to come are `Secure` or not.
    pub(crate) fn of(secure: bool) -> Self {
        Self { secure: if secure { "; Secure" } else { "" }, lines: Vec::new() }
    }

    /// Sets the access token.
    #[must_use]
    pub fn access_token(self, token: &str) -> Self {
        self.set(ACCESS, "/", token)
    }

    /// Sets the refresh token, which the browser sends to the refresh route only.
    #[must_use]
    pub fn refresh_token(self, settings: &Settings, token: &str) -> Self {
        self.set(REFRESH, &settings.token.refresh_endpoint, token)
    }

    /// Binds a login that starts to this browser. Several may be in progress, so each has its own cookie.
    #[must_use]
    pub fn attempt(mut self, state: &str, secret: &str) -> Self {
        let (name, max_age) = (attempt_name(state), ATTEMPT_MAX_AGE.as_secs());
        let secure = self.secure;
        self.lines.push(format!(
            "{name}={secret}; HttpOnly; Max-Age={max_age}; Path={AUTH}; SameSite=lax{secure}"
        ));
        self
    }

    /// Clears the cookie that binds a login to this browser.
    #[must_use]
    pub fn forget_attempt(self, state: &str) -> Self {
        self.forget(&attempt_name(state), AUTH)
    }

    /// Sets the name that the frontend's server shows. It decodes twice, so a percent sign is encoded
    /// twice.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        let name = name.replace('%', "%25");
        let encoded = utf8_percent_encode(&name, NAME_ENCODED).to_string();
        self.set(NAME, "/", &encoded)
    }

    /// Clears all three.
    #[must_use]
    pub fn forget_all(self, settings: &Settings) -> Self {
        let refresh_path = settings.token.refresh_endpoint.clone();
        self.forget(ACCESS, "/").forget(REFRESH, &refresh_path).forget_name()
    }

    /// Clears the name.
    #[must_use]
    pub fn forget_name(self) -> Self {
        self.forget(NAME, "/")
    }

    fn set(mut self, name: &str, path: &str, value: &str) -> Self {
        let (max_age, secure) = (MAX_AGE.as_secs(), self.secure);
        self.lines.push(format!(
            "{name}={value}; HttpOnly; Max-Age={max_age}; Path={path}; SameSite=lax{secure}"
        ));
        self
    }

    fn forget(mut self, name: &str, path: &str) -> Self {
        self.lines.push(format!(
            "{name}=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path={path}; SameSite=lax"
        ));
        self
    }

    /// Adds the cookies. An answer with cookies is private and must not be cached.
    pub(crate) fn put_into(self, res: &mut Response) {
        if !self.lines.is_empty() {
            res.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        for cookie in self.lines {
            // All parts are ASCII: tokens are base64url, names are percent-encoded, paths are settings.
            if let Ok(cookie) = HeaderValue::try_from(cookie) {
                res.headers_mut().append(header::SET_COOKIE, cookie);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cookie_is_what_the_contract_says() {
        let expected = "TP_AT=abc; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax";
        let cookies = SetCookies::default().access_token("abc");
        assert_eq!(cookies.lines, [format!("{expected}; Secure")]);
        assert_eq!(SetCookies::of(false).access_token("abc").lines, [expected]);
    }

    #[test]
    fn a_name_survives_being_decoded_twice() {
        let cookies = SetCookies::default().name("100% é/x");
        let value = cookies.lines[0].split(['=', ';']).nth(1).unwrap().to_owned();
        assert_eq!(value, "100%2525%20%C3%A9%2Fx");
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
        };
        assert_eq!(decode(&decode(&value)), "100% é/x");
    }
}
