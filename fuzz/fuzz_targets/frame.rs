//! What a client sends on its socket: the bytes of the connection as the meter counts them, and the same as the text of a
//! frame that the modules take.

#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use typephoon_api::fuzzing::{Track, declared, fragments};

thread_local! {
    static TRACK: OnceCell<Track> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(piece) = bytes.first() {
        fragments(bytes, usize::from(*piece));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        TRACK.with(|track| track.get_or_init(|| Track::of(declared())).takes(text));
    }
});
