//! What the linked modules declare, held by snapshots; and the beginnings of new ones.

use std::path::Path;

use tempfile::TempDir;

use super::{Feature, linked, render_table, scaffold, wire};

/// A snapshot per module, so that one that goes leaves the others alone, and one that is new needs none
/// yet. What a module declares anew is read and accepted: `INSTA_UPDATE=always cargo test wiring`.
#[test]
fn the_wiring_of_every_module_is_the_one_that_was_agreed_on() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let agreed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wiring");
    settings.set_snapshot_path(&agreed);
    let _bound = settings.bind_to_scope();
    let declared = wire(&linked(&[]).unwrap()).unwrap();
    for row in declared.table {
        let is_known = agreed.join(format!("{}.snap", row.name)).exists();
        if is_known || std::env::var_os("INSTA_UPDATE").is_some() {
            insta::assert_snapshot!(row.name, render_table(&[row]));
        }
    }
}

#[test]
fn a_module_that_is_switched_off_declares_nothing() {
    for module in linked(&[]).unwrap() {
        let rest = linked(&[module.name.into()]).unwrap();
        let table = wire(&rest).unwrap().table;
        assert!(table.iter().all(|row| row.name != module.name));
        assert_eq!(table.len() + 1, linked(&[]).unwrap().len());
    }
}

/// A repository's folder of handler modules, with one file and one folder in it.
fn handlers() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chat.rs"), "//! Chat.\n").unwrap();
    std::fs::create_dir(folder.path().join("duel")).unwrap();
    folder
}

fn files(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_new_module_is_a_file_that_registers_itself_under_its_name() {
    let folder = handlers();
    let file = scaffold(folder.path(), "emotes_2", &[Feature::Route]).unwrap();
    assert_eq!(file, folder.path().join("emotes_2.rs"));
    let code = std::fs::read_to_string(file).unwrap();
    assert!(code.starts_with("//! "));
    assert!(code.contains("Module { name: \"emotes_2\", path: module_path!(), wire }"));
    assert!(code.contains("#[cfg(test)]") && !code.contains("NAME"));
}

#[test]
fn a_new_module_is_refused_when_its_name_is_none() {
    let folder = handlers();
    for name in
        ["", "Emotes", "2emotes", "_emotes", "emo-tes", "emo/tes", "../emotes", "émotes", "a.rs"]
    {
        let complaint = scaffold(folder.path(), name, &[Feature::Route]).unwrap_err();
        let expected = "is no module name: lowercase letters, digits and underscores";
        assert_eq!(complaint, format!("{name:?} {expected}"));
    }
    assert_eq!(files(&folder), ["chat.rs", "duel"]);
}

#[test]
fn a_new_module_is_refused_when_its_name_is_taken() {
    let folder = handlers();
    for name in ["chat", "duel"] {
        let complaint = scaffold(folder.path(), name, &[Feature::Route]).unwrap_err();
        assert_eq!(complaint, format!("the handler module {name} already exists"));
    }
    let untouched = std::fs::read_to_string(folder.path().join("chat.rs")).unwrap();
    assert_eq!((untouched.as_str(), files(&folder).len()), ("//! Chat.\n", 2));
}

#[test]
fn a_new_module_is_refused_where_there_is_no_folder_for_it() {
    let folder = handlers();
    let complaint =
        scaffold(&folder.path().join("elsewhere"), "emotes", &[Feature::Route]).unwrap_err();
    assert!(complaint.starts_with("there is no folder handlers here"), "{complaint}");
}
