//! Lists `handlers/` and `migrations/`, so that dropping a file in is all it takes to install it.
//!
//! Writes `$OUT_DIR/handlers.rs`: one `pub mod` per handler module (`x.rs` or `x/mod.rs`) and their names; and
//! `$OUT_DIR/migrations.rs`: the migrations of each database; and `$OUT_DIR/client.rs`: the files of the client, those in
//! `web/` and in the folders `web` of handler modules, which a release build puts into the binary.

use std::path::Path;
use std::{env, fs};

fn main() {
    // Without this line cargo would not notice a new file.
    println!("cargo:rerun-if-changed=handlers");
    println!("cargo:rerun-if-changed=migrations");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let (root, out) = (Path::new(&root), Path::new(&out));
    let code = modules(&entries(&root.join("handlers")));
    fs::write(out.join("handlers.rs"), code).expect("OUT_DIR is writable");
    // A debug build reads them at run time: a new style needs no new binary.
    let is_release = env::var("PROFILE").is_ok_and(|it| it == "release");
    let files = if is_release { client(root) } else { Vec::new() };
    let code = format!("const EMBEDDED: &[(&str, &[u8])] = &[\n{}];\n", files.concat());
    fs::write(out.join("client.rs"), code).expect("OUT_DIR is writable");
    let tables = ["postgres", "sqlite"].map(|it| migrations(it, &root.join("migrations").join(it)));
    fs::write(out.join("migrations.rs"), tables.concat()).expect("OUT_DIR is writable");
}

/// The folder of what modules share: no module itself.
const SHARED: &str = "shared";

/// One `pub mod` per entry, and the names of those that are modules.
fn modules(entries: &[(String, String)]) -> String {
    let line = |(name, path): &(String, String)| format!("#[path = {path:?}]\npub mod {name};\n");
    let names: Vec<_> =
        entries.iter().map(|(name, _)| name).filter(|name| *name != SHARED).collect();
    let list = format!(
        "/// The entries of `handlers/`, by name.\npub const ENTRIES: &[&str] = &{names:?};\n"
    );
    entries.iter().map(line).collect::<String>() + &list
}

/// The files of the client: a line each, with the path below `/web/` and the content.
fn client(root: &Path) -> Vec<String> {
    println!("cargo:rerun-if-changed=web");
    let mut files = Vec::new();
    embed(&root.join("web"), "", &mut files);
    let handlers = fs::read_dir(root.join("handlers")).into_iter().flatten();
    for module in handlers.filter_map(Result::ok) {
        let name = module.file_name().to_string_lossy().into_owned();
        embed(&module.path().join("web"), &format!("modules/{name}/"), &mut files);
    }
    files.sort();
    files
}

/// The files of a folder and those below it; hidden ones are left out. No folder, no files.
fn embed(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            embed(&path, &format!("{prefix}{name}/"), files);
        } else {
            files.push(format!(
                "    ({:?}, include_bytes!({path:?})),\n",
                format!("{prefix}{name}")
            ));
        }
    }
}

/// The files of a folder, `0001_tables.sql` for instance, as a constant with the name of the database.
fn migrations(database: &str, folder: &Path) -> String {
    let found = fs::read_dir(folder).expect("each database has a folder of migrations");
    let mut lines: Vec<_> = found
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
            let (version, description) =
                name.split_once('_').expect("a version before the first _");
            let version: i64 = version.parse().expect("the version is a number");
            let description = description.replace('_', " ");
            format!("    ({version}, {description:?}, include_str!({path:?})),\n")
        })
        .collect();
    lines.sort();
    format!("const {}: &[File] = &[\n{}];\n", database.to_uppercase(), lines.concat())
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
