//! Entry points for `fuzz/` to the parsers of untrusted bytes from clients, other pods and operators, without sockets
//! and services. Compiled with `--cfg fuzzing` only; each function panics if an invariant is violated.

use std::path::PathBuf;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use salvo::Request;
use salvo::http::{HeaderValue, ReqBody, header, uri::Scheme};
use salvo::hyper;

pub use crate::bridge::fuzzing::bridge_message;
pub use crate::settings::fuzzing::settings;
pub use crate::socket::fuzzing::{Track, fragments};

use crate::auth::{Cookies, SetCookies, TokenKeys};
use crate::game::Timestamp;
use crate::module::{Declarations, linked, wire};
use crate::settings::Settings;

/// The declarations of all modules.
pub fn declared() -> Declarations {
    let modules = linked(&[]).expect("the modules of this binary");
    wire(&modules).expect("modules that go together")
}

/// A request with this query and these cookies, if they are valid in HTTP.
pub fn request(query: &str, cookies: &[u8]) -> Option<Request> {
    let cookies = HeaderValue::from_bytes(cookies).ok()?;
    let request = hyper::Request::get(format!("/?{query}")).header(header::COOKIE, cookies);
    Some(Request::from_hyper(request.body(ReqBody::None).ok()?, Scheme::HTTP))
}

/// Cookies of a client: none of them may be a valid token.
pub fn cookies(header: &[u8]) {
    static KEYS: LazyLock<TokenKeys> = LazyLock::new(|| {
        let data_dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/target");
        // Not there yet if the build's folder is another.
        std::fs::create_dir_all(&data_dir).expect("a folder for keys");
        TokenKeys::load(&Settings { data_dir, ..Settings::default() }).expect("keys of this run")
    });
    let Some(request) = request("", header) else { return };
    let (cookies, now) = (Cookies::of(&request), Timestamp::now());
    assert!(KEYS.access(cookies.access_token(), now).is_err(), "an access token was made up");
    assert!(KEYS.ever_access(cookies.access_token(), now).is_none(), "so was an expired one");
    assert!(KEYS.refresh(cookies.refresh_token(), now).is_err(), "a refresh token was made up");
    let state = cookies.refresh_token().unwrap_or_default();
    let _ = cookies.attempt(state);
}

/// A name in the cookie `USERNAME`: decoding twice must restore it.
pub fn name_cookie(name: &str) {
    let mut response = salvo::Response::new();
    SetCookies::default().name(name).put_into(&mut response);
    let line = response.headers()[header::SET_COOKIE].to_str().expect("a cookie in ASCII");
    let value = line.split(['=', ';']).nth(1).expect("a value");
    let decode = |text: &str| percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned();
    assert_eq!(decode(&decode(value)), name);
}
