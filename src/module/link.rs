//! The handler modules that are linked in: those of `handlers/`, whose registrations are checked against its entries, and
//! those of other crates (`docs/handlers.md`).

use super::Wiring;

/// The registration of a handler module: `inventory::submit! { Module { … } }`.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// The name of its file or folder in `handlers/`.
    pub name: &'static str,
    /// Always `module_path!()`: identifies its file.
    pub path: &'static str,
    /// Declares what the module does. Runs once per start, before any other function of it.
    pub wire: fn(&mut Wiring),
}

inventory::collect!(Module);

/// The modules of this binary, sorted by name (link order is undefined), without those that are `disabled`.
///
/// # Errors
/// One sentence, if an entry of `handlers/` is not registered under its own name, if two share a
/// name, or if a disabled one does not exist.
pub fn linked(disabled: &[String]) -> Result<Vec<Module>, String> {
    let mut modules: Vec<Module> = inventory::iter::<Module>.into_iter().copied().collect();
    modules.sort_by_key(|module| module.name);
    check(&modules, crate::handlers::ENTRIES)?;
    if let Some(unknown) = disabled.iter().find(|name| modules.iter().all(|m| m.name != **name)) {
        let names: Vec<_> = modules.iter().map(|module| module.name).collect();
        return Err(format!(
            "handlers.disabled names {unknown:?}, but there are only: {}",
            names.join(", ")
        ));
    }
    modules.retain(|module| disabled.iter().all(|name| name != module.name));
    Ok(modules)
}

fn check(modules: &[Module], entries: &[&str]) -> Result<(), String> {
    for entry in entries {
        let here: Vec<_> = modules.iter().filter(|module| file_of(module) == *entry).collect();
        match here[..] {
            [] => {
                return Err(format!(
                    "handlers/{entry} registers no module: is its inventory::submit! missing?"
                ));
            }
            [module] if module.name == *entry => {}
            [module] => {
                return Err(format!("handlers/{entry} registers itself as {:?}", module.name));
            }
            _ => return Err(format!("handlers/{entry} registers more than one module")),
        }
    }
    let is_stray = |module: &&Module| is_own(module) && !entries.contains(&file_of(module));
    if let Some(stray) = modules.iter().find(is_stray) {
        return Err(format!(
            "module {:?} is registered outside of handlers/, in {}",
            stray.name, stray.path
        ));
    }
    // They are sorted by name.
    match modules.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some([one, other]) => {
            Err(format!("{} and {} both register a module {:?}", one.path, other.path, one.name))
        }
        _ => Ok(()),
    }
}

/// Whether the module is one of this crate.
fn is_own(module: &Module) -> bool {
    module.path.starts_with(concat!(env!("CARGO_CRATE_NAME"), "::"))
}

/// `typephoon_api::handlers::race` comes from `handlers/race`.
fn file_of(module: &Module) -> &'static str {
    let inside = module.path.split_once("::handlers::").filter(|_| is_own(module));
    let inside = inside.map_or("", |(_, inside)| inside);
    inside.split("::").next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn module(name: &'static str, path: &'static str) -> Module {
        Module { name, path, wire: |_| {} }
    }

    #[test]
    fn every_entry_of_the_folder_is_registered_under_its_own_name() {
        let race = module("race", "typephoon_api::handlers::race");
        let astray = module("astray", "typephoon_api::astray");
        let renamed = module("rally", "typephoon_api::handlers::race");
        let other = module("cheers", "typephoon_cheers");
        assert_eq!(check(&[race], &["race"]), Ok(()));
        assert_eq!(check(&[other, race], &["race"]), Ok(()), "one of another crate");
        for (modules, complaint) in [
            (vec![], "handlers/race registers no module: is its inventory::submit! missing?"),
            (vec![renamed], "handlers/race registers itself as \"rally\""),
            (vec![race, race], "handlers/race registers more than one module"),
            (
                vec![race, astray],
                "module \"astray\" is registered outside of handlers/, in typephoon_api::astray",
            ),
            (
                vec![race, module("race", "typephoon_race::handlers::race")],
                "typephoon_api::handlers::race and typephoon_race::handlers::race both register a module \"race\"",
            ),
        ] {
            assert_eq!(check(&modules, &["race"]), Err(complaint.into()));
        }
    }

    #[test]
    fn the_modules_of_this_binary_are_those_of_the_folder() {
        let names: Vec<_> = linked(&[]).unwrap().iter().map(|module| module.name).collect();
        assert_eq!(names, crate::handlers::ENTRIES);
        assert!(linked(&["no-such".into()]).unwrap_err().contains("\"no-such\""));
    }
}
