//! The layers of `src/`, as ARCHITECTURE.md draws them: a file uses its own layer and those below it.

use super::scan::Source;

/// The layers, from the bottom to the top. A file belongs to the longest path that it is below.
pub(super) const LAYERS: [&str; 26] = [
    "error",
    "background",
    "settings",
    "clock",
    "game",
    "telemetry",
    "auth",
    "records",
    "live",
    "bus",
    "http/edge",
    "socket/rooms",
    "timers",
    "login/identity",
    "peers",
    "health",
    "drain",
    "module/context",
    "login",
    "bridge",
    "socket",
    "module",
    "http",
    "operations",
    "app",
    "cli",
];

/// Uses of a layer above, by file.
const EXCEPTIONS: [(&str, &str); 4] = [
    // The clock tells time in the unit of facts, and a fact's `now` reads the clock: one concept in two files.
    ("src/clock.rs", "game"),
    // The events of a game's life are declared beside its facts, and the trait that makes them events is the bus's.
    ("src/game/events.rs", "bus"),
    // Entry points for fuzzing, each beside the private parts that it reaches, start from what all modules declare.
    ("src/bridge/fuzzing.rs", "module"),
    ("src/socket/fuzzing.rs", "module"),
];

/// A rule of `rules`.
pub(super) fn uses_only_what_is_below(source: &Source) -> Vec<String> {
    let module = module_of(&source.path);
    let Some(own) = layer_of(&module) else { return Vec::new() };
    let mut faults = Vec::new();
    for (line, code) in source.code(false) {
        for used in used_in(&code, &module).iter().filter_map(|path| layer_of(path)) {
            let name = LAYERS[used];
            if used > own && !EXCEPTIONS.contains(&(source.path.as_str(), name)) {
                let complaint = format!("uses {name}, which is above {}", LAYERS[own]);
                faults.push(source.complaint(line, &complaint));
            }
        }
    }
    faults
}

/// The number of the layer that a module belongs to, if it is in one.
pub(super) fn layer_of(module: &[&str]) -> Option<usize> {
    let is_in = |layer: &str| {
        let parts: Vec<_> = layer.split('/').collect();
        module.starts_with(&parts)
    };
    let layers = LAYERS.iter().enumerate().filter(|(_, layer)| is_in(layer));
    layers.max_by_key(|(_, layer)| layer.len()).map(|(number, _)| number)
}

/// The path of a file's module: `socket`, `rooms`, `room`.
pub(super) fn module_of(path: &str) -> Vec<&str> {
    let Some(inside) = path.strip_prefix("src/").and_then(|it| it.strip_suffix(".rs")) else {
        return Vec::new();
    };
    inside.split('/').filter(|part| *part != "mod").collect()
}

/// The paths of the crate's modules that a line names.
fn used_in<'a>(code: &'a str, module: &[&'a str]) -> Vec<Vec<&'a str>> {
    let starts = |word: &'static str| code.match_indices(word).map(|(at, _)| at);
    let mut paths = Vec::new();
    for at in starts("crate::") {
        // `pub(in crate::socket)` is no use.
        if !code[..at].ends_with("in ") {
            paths.push(segments(&code[at + "crate::".len()..]));
        }
    }
    for at in starts("super::").filter(|at| !code[..*at].ends_with("::")) {
        let (mut rest, mut above) = (&code[at..], module);
        while let Some(outer) = rest.strip_prefix("super::") {
            rest = outer;
            above = &above[..above.len().saturating_sub(1)];
        }
        paths.push([above, &segments(rest)].concat());
    }
    paths
}

/// The segments of a path, up to its end or to a list.
fn segments(path: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = path.find(|c| !is_part(c)).unwrap_or(path.len());
    path[..end].split("::").filter(|part| !part.is_empty()).collect()
}
