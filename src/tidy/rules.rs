//! The rules for sources. A complaint is `file:line: what is wrong`.

use super::layers::uses_only_what_is_below;
use super::scan::{Line, Source};

/// A rule: returns the complaints about a file.
type Rule = fn(&Source) -> Vec<String>;

/// All rules.
pub(super) const ALL: [Rule; 10] = [
    opens_with_what_it_is,
    is_not_too_long,
    has_short_functions,
    keeps_out_of_handlers,
    knows_no_feature,
    keeps_to_its_own_module,
    leaves_drivers_in_their_rooms,
    leaves_no_loose_ends,
    names_who_acts,
    uses_only_what_is_below,
];

/// Most lines of a file.
const FILE_LIMIT: usize = 400;
/// Most lines of a function.
const FUNCTION_LIMIT: usize = 60;

/// Drivers, by the prefix of their crates, and the paths that may use them.
const DRIVERS: [(&str, &[&str]); 8] = [
    ("lapin", &["src/bridge", "src/bus/bridge"]),
    ("redis", &["src/live/"]),
    ("sqlx", &["src/records/"]),
    ("tokio_tungstenite", &["src/socket/", "src/testing"]),
    ("tungstenite", &["src/socket/", "src/testing"]),
    ("opentelemetry", &["src/telemetry/"]),
    ("prometheus_client", &["src/telemetry/"]),
    ("flate2", &["src/http/"]),
];

/// Rooms of the runtime's centre, and words of features that it does not know.
const CENTRE: [&str; 7] =
    ["src/game/", "src/live/", "src/bus/", "src/module/", "src/timers", "src/socket/", "src/drain"];
const FEATURES: [&str; 11] = [
    "bot",
    "bots",
    "host",
    "invitation",
    "invite",
    "invited",
    "password",
    "text_wish",
    "typing",
    "wishes",
    "words",
];

/// What is forbidden outside tests, and what to use instead.
const LOOSE_ENDS: [(&str, &str); 3] = [
    ("tokio::spawn(", "tasks belong to a tracker"),
    ("unbounded_channel", "queues are bounded"),
    (".unwrap()", "say why it cannot fail, or return it"),
];

/// Words that leave open which player, pod, module or task is meant.
const VAGUE: [&str; 6] = ["anybody", "everybody", "nobody", "nobodys", "somebody", "whoever"];
/// With these a name of a function does not begin: `who_answers_lives` is about a client.
const VAGUE_BEGINNINGS: [&str; 2] = ["who_", "whom_"];

fn opens_with_what_it_is(source: &Source) -> Vec<String> {
    match source.lines.first() {
        Some(line) if line.text.starts_with("//! ") => Vec::new(),
        _ => vec![source.complaint(1, "does not open with //!")],
    }
}

fn is_not_too_long(source: &Source) -> Vec<String> {
    let lines = source.lines.len();
    let complaint = || source.complaint(lines, &format!("is longer than {FILE_LIMIT} lines"));
    (lines > FILE_LIMIT).then(complaint).into_iter().collect()
}

fn has_short_functions(source: &Source) -> Vec<String> {
    let begins = |(_, line): &(usize, &Line)| !line.is_test && is_function(&line.text);
    let functions = source.lines.iter().enumerate().filter(begins);
    let long = functions.filter_map(|(index, line)| {
        let length = function_length(&source.lines[index..]);
        let complaint = format!("a function of {length} lines");
        (length > FUNCTION_LIMIT).then(|| source.complaint(line.number, &complaint))
    });
    long.collect()
}

fn is_function(line: &str) -> bool {
    let is_before = |word: &&str| {
        word.starts_with("pub") || word.ends_with(')') || matches!(*word, "const" | "async")
    };
    line.split_whitespace().find(|word| !is_before(word)) == Some("fn")
}

/// Lines from the first of a function to its last: the brace at the same indentation, unless it has
/// no body or all of it in one line.
fn function_length(lines: &[Line]) -> usize {
    let ends = |line: &Line| matches!(line.text.chars().last(), Some('{' | '}' | ';'));
    let Some(signature) = lines.iter().position(ends) else { return 1 };
    if !lines[signature].text.ends_with('{') {
        return signature + 1;
    }
    let indentation = lines[0].indentation();
    let closes = |line: &Line| line.text.trim() == "}" && line.indentation() == indentation;
    lines.iter().position(closes).map_or(lines.len(), |last| last + 1)
}

fn keeps_out_of_handlers(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/") {
        return Vec::new();
    }
    let is_module =
        |name: &str| name.starts_with(|c: char| c.is_ascii_lowercase() || "{*".contains(c));
    let faults =
        source.code(false).filter(|(_, code)| code.split("handlers::").skip(1).any(is_module));
    faults.map(|(line, _)| source.complaint(line, "the runtime names a handler module")).collect()
}

fn knows_no_feature(source: &Source) -> Vec<String> {
    if !CENTRE.iter().any(|room| source.path.starts_with(room)) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    // The host of a service is no feature.
    let is_driver = source.path.starts_with("src/live/redis/");
    let features = || FEATURES.iter().filter(|it| **it != "host" || !is_driver);
    for (line, code) in source.code(false) {
        let code = code.to_ascii_lowercase();
        for feature in features().filter(|feature| has_word(&code, feature)) {
            faults.push(source.complaint(line, &format!("the centre knows of {feature}")));
        }
    }
    faults
}

fn keeps_to_its_own_module(source: &Source) -> Vec<String> {
    let Some(inside) = source.path.strip_prefix("handlers/") else { return Vec::new() };
    let own = inside.split(['/', '.']).next().unwrap_or_default();
    let others = || crate::handlers::ENTRIES.iter().filter(|entry| **entry != own);
    let mut faults = Vec::new();
    for (line, code) in source.code(true) {
        for other in others() {
            let paths = ["handlers", "super"].map(|from| format!("{from}::{other}"));
            if paths.iter().any(|path| has_word(&code, path)) {
                faults.push(source.complaint(line, &format!("names the handler module {other}")));
            }
        }
        if code.contains("handlers::{") {
            faults.push(source.complaint(line, "names handler modules"));
        }
    }
    faults
}

/// Whether the text contains the word, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

fn leaves_drivers_in_their_rooms(source: &Source) -> Vec<String> {
    let is_in = |rooms: &[&str]| rooms.iter().any(|room| source.path.starts_with(room));
    let is_astray =
        |name: &&str| DRIVERS.iter().any(|(driver, rooms)| is_of(name, driver) && !is_in(rooms));
    let mut faults = Vec::new();
    for (line, code) in source.code(true) {
        for name in crates(&code).filter(is_astray) {
            faults.push(source.complaint(line, &format!("{name} belongs into its own room")));
        }
    }
    faults
}

/// Whether the crate is the driver, a part of it, or an integration of it with another.
fn is_of(name: &str, driver: &str) -> bool {
    let name = name.strip_prefix("tracing_").unwrap_or(name);
    name.strip_prefix(driver).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The names in a line that may be crates: the first segment of a path, or what `use` names.
fn crates(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words = line.split(move |c: char| !is_part(c)).filter(|word| !word.is_empty());
    words.filter(move |word| {
        // Both are slices of one line: the distance of their starts is the position of the word.
        let at = word.as_ptr() as usize - line.as_ptr() as usize;
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let is_within_path = before.strip_suffix("::").is_some_and(|it| it.ends_with(is_part));
        !is_within_path && (after.starts_with("::") || before.trim_end().ends_with("use"))
    })
}

fn leaves_no_loose_ends(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (line, code) in source.code(false) {
        for (what, instead) in LOOSE_ENDS.iter().filter(|(what, _)| code.contains(what)) {
            let complaint = format!("{what} has no place here: {instead}");
            faults.push(source.complaint(line, &complaint));
        }
    }
    faults
}

/// No comment, text or name leaves open who acts.
fn names_who_acts(source: &Source) -> Vec<String> {
    if is_about_words(source) {
        return Vec::new();
    }
    let mut faults = has_plain_names(source);
    for line in &source.lines {
        let text = line.text.to_lowercase();
        for word in VAGUE.iter().filter(|word| has_word(&text, word)) {
            faults.push(source.complaint(line.number, &format!("{word} leaves open who is meant")));
        }
    }
    faults
}

/// No name of a function does; tests of the API and benches keep this one, too.
pub(super) fn has_plain_names(source: &Source) -> Vec<String> {
    if is_about_words(source) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (line, code) in source.code(true).filter(|(_, code)| is_function(code)) {
        let rest = code.split("fn ").nth(1).unwrap_or_default();
        let name = rest.split(['(', '<']).next().unwrap_or_default();
        let is_vague = name.split('_').any(|word| VAGUE.contains(&word))
            || VAGUE_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
        if is_vague {
            faults.push(source.complaint(line, &format!("{name} leaves open who is meant")));
        }
    }
    faults
}

/// Whether the file lists the words.
fn is_about_words(source: &Source) -> bool {
    source.path.starts_with("src/tidy")
}

/// The name of the type that a line declares, if it declares one outside of functions and traits.
pub(super) fn declared_type(code: &str) -> Option<&str> {
    let visible = code.split_once(") ").filter(|_| code.starts_with("pub("));
    let bare = visible.map_or(code, |(_, rest)| rest);
    let bare = bare.strip_prefix("pub ").unwrap_or(bare);
    let (keyword, rest) = bare.split_once(' ')?;
    let declares = matches!(keyword, "struct" | "enum" | "trait" | "type" | "union");
    declares.then(|| rest.split(|it: char| !it.is_alphanumeric()).next()).flatten()
}
