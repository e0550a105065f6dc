//! The scripts: what has to happen at once in Redis. None of them knows a rule of the game.
//!
//! They stand beside this file. A script touches keys of one slot only.

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
    /// Puts a value in the place of another.
    COMMIT = "commit";
    /// What is due on the agenda.
    OVERDUE = "overdue";
    /// A sign of life.
    BEAT = "beat";
}
