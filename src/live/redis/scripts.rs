//! The Lua scripts: what Redis has to do atomically. None of them knows a rule of the game.
//!
//! Their sources are in `scripts/`. A script touches keys of one slot only.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($(#[doc = $doc:literal])* $name:ident = $file:literal;)*) => {
        $($(#[doc = $doc])* pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(include_str!(concat!("scripts/", $file, ".lua")))
        });)*
    };
}

scripts! {
    /// Replaces a value, if its version is still the expected one.
    COMMIT = "commit";
    /// Returns what is overdue on the agenda, and leases it to the caller.
    OVERDUE = "overdue";
    /// The heartbeat of a pod.
    BEAT = "beat";
}
