//! Lists `handlers/`, so that dropping a file in is all it takes to install a handler module.
//!
//! Writes `$OUT_DIR/handlers.rs`: one `pub mod` per entry (`x.rs` or `x/mod.rs`) and their names. Also watches `web/`,
//! whose files a release build puts into the binary.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    // Without this line cargo would not notice a new file.
    println!("cargo:rerun-if-changed=handlers");
    // A debug build reads them at run time: a new style needs no new binary.
    if env::var("PROFILE").is_ok_and(|it| it == "release") {
        println!("cargo:rerun-if-changed=web");
    }
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let entries = entries(&Path::new(&root).join("handlers"));

    let mut code = String::new();
    for (name, path) in &entries {
        writeln!(code, "#[path = {path:?}]\npub mod {name};").expect("a String takes everything");
    }
    let names: Vec<_> = entries.iter().map(|(name, _)| name).collect();
    writeln!(
        code,
        "/// The entries of `handlers/`, by name.\npub const ENTRIES: &[&str] = &{names:?};"
    )
    .expect("a String takes everything");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("handlers.rs"), code).expect("OUT_DIR is writable");
}

/// Name and path of every module in the folder, by name. No folder, no modules. Hidden files and
/// whatever is no Rust module are left alone.
fn entries(folder: &Path) -> Vec<(String, String)> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<_> = found
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_str()?.to_owned();
            let file = if path.is_dir() { path.join("mod.rs") } else { path };
            let is_module = file.extension().is_some_and(|it| it == "rs") && file.is_file();
            let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if is_module && !is_name && !name.starts_with('.') {
                println!(
                    "cargo:warning=handlers/{name} is left out: not a module name (a-z, 0-9, _)"
                );
            }
            (is_module && is_name).then(|| (name, file.to_string_lossy().into_owned()))
        })
        .collect();
    entries.sort();
    entries
}
