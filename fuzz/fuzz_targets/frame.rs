//! What a client sends on its socket: the bytes of the connection as the meter counts them, and the same as the text of a
//! frame that the modules take.

#![no_main]

use std::cell::OnceCell;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use typephoon_api::fuzzing::{Track, declared, fragments};
use typephoon_api::game::Timestamp;
use typephoon_api::handlers::shared::{Progress, Text, Typing};

thread_local! {
    static TRACK: OnceCell<Track> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(piece) = bytes.first() {
        fragments(bytes, usize::from(*piece));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (typing, words) = (Typing::default(), Text::of("the quick brown fox"));
        let count = words.words();
        typing.resume(words, &Progress::default(), Some(Timestamp::now()));
        let track = |track: &OnceCell<Track>| {
            track.get_or_init(|| Track::of(declared())).takes(text, Arc::new(typing), count);
        };
        TRACK.with(track);
    }
});
