//! The header `cookie` of a stranger, and the name that the server puts into a cookie.

#![no_main]

use libfuzzer_sys::fuzz_target;
use typephoon_api::fuzzing::{cookies, name_cookie};

fuzz_target!(|bytes: &[u8]| {
    cookies(bytes);
    if let Ok(name) = std::str::from_utf8(bytes) {
        name_cookie(name);
    }
});
