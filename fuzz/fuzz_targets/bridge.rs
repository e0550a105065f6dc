//! What comes over the broker from another pod, perhaps of another version.

#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use typephoon_api::fuzzing::{bridge_message, declared};

thread_local! {
    static TAKE: OnceCell<Box<dyn Fn(&[u8])>> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    TAKE.with(|take| take.get_or_init(|| Box::new(bridge_message(declared())))(bytes));
});
