//! The files of the client: those of `web/`, and those that handler modules add, `handlers/x/web/file` as
//! `modules/x/file`.
//!
//! `build.rs` puts them into a release build; a debug build reads them from disk, so that a reload shows a change.

use std::borrow::Cow;
use std::path::Path;

/// The path below which files of handler modules are.
pub(super) const MODULES: &str = "modules/";

// `EMBEDDED`: path and content of each file; empty in a debug build.
include!(concat!(env!("OUT_DIR"), "/client.rs"));

/// The file at a path, if any.
pub(super) fn find(path: &str) -> Option<Cow<'static, [u8]>> {
    if !is_plain(path) {
        return None;
    }
    if EMBEDDED.is_empty() {
        return on_disk(path);
    }
    let (_, content) = EMBEDDED.iter().find(|(name, _)| *name == path)?;
    Some(Cow::Borrowed(content))
}

fn on_disk(path: &str) -> Option<Cow<'static, [u8]>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = match path.strip_prefix(MODULES).and_then(|path| path.split_once('/')) {
        Some((module, file)) => root.join("handlers").join(module).join("web").join(file),
        None => root.join("web").join(path),
    };
    std::fs::read(file).ok().map(Cow::Owned)
}

/// Whether a path stays within the folder on every system, and is not hidden. It is not percent-decoded, since no file
/// name needs encoding.
fn is_plain(path: &str) -> bool {
    !path.contains(['\\', '\0', ':'])
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_within_the_folder() {
        assert!(find("index.html").is_some());
        for path in [
            "",
            "/",
            "../Cargo.toml",
            "vendor/../index.html",
            "./index.html",
            "/etc/passwd",
            "vendor/",
            ".hidden",
            "a/.git/config",
            "..\\Cargo.toml",
            "C:/x",
            "\0",
            "modules/profile/mod.rs",
            "modules/profile",
        ] {
            assert!(find(path).is_none(), "{path:?}");
        }
        assert!(is_plain("vendor/a-b_c.1.js"));
    }
}
