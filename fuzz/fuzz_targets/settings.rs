//! What an operator writes: a setting file, and behind a line `%%` the lines of `.env`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = typephoon_api::fuzzing::settings(text) {
        assert!(!error.to_string().is_empty(), "a refusal says why");
    }
});
