//! The query of a lobby's socket: the token of an invitation that is taken becomes a part of names in Redis, so it has small
//! letters and digits only.

#![no_main]

use libfuzzer_sys::fuzz_target;
use typephoon_api::{fuzzing::request, handlers::lobby::invite_token};

fuzz_target!(|query: &str| {
    let Some(token) = request(query, b"").and_then(|request| invite_token(&request)) else {
        return;
    };
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    assert!((8..=64).contains(&token.len()) && token.bytes().all(is_letter), "{token:?}");
});
