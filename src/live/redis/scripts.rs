//! The scripts: each operation is one of them, so that it is atomic and one round trip.
//!
//! They stand beside this file; each begins with `common.lua`. A script touches keys of one slot only;
//! those that it makes up by itself begin with a key that it was given.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($(#[doc = $doc:literal])* $name:ident = $file:literal;)*) => {
        $($(#[doc = $doc])* pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            let common = include_str!("scripts/common.lua");
            let own = include_str!(concat!("scripts/", $file, ".lua"));
            Script::new(&format!("{common}\n{own}"))
        });)*
    };
}

scripts! {
    /// Takes the sockets of a dead pod out of lobbies.
    FORGET = "forget";
    /// A sign of life.
    BEAT = "beat";
    /// Who gives none.
    SILENT = "silent";
}
