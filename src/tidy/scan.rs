//! Reads the sources, line by line, and distinguishes code from tests and comments.

use std::fs;
use std::path::Path;

/// Beginnings of the paths of files for tests only, although their names do not show it.
const FOR_TESTS: [&str; 2] = ["src/testing", "src/tidy"];

/// One line.
pub(super) struct Line {
    pub(super) number: usize,
    /// The text in the file.
    pub(super) text: String,
    /// Whether it is compiled for tests only.
    pub(super) is_test: bool,
}

impl Line {
    pub(super) fn is_comment(&self) -> bool {
        self.text.trim_start().starts_with("//")
    }

    /// The line without quoted text.
    pub(super) fn unquoted(&self) -> String {
        let text = self.text.replace("\\\\", "").replace("\\\"", "").replace("'\"'", "");
        text.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
    }

    pub(super) fn indentation(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }
}

/// One file.
pub(super) struct Source {
    /// Relative to the repository, with `/`.
    pub(super) path: String,
    pub(super) lines: Vec<Line>,
}

impl Source {
    pub(super) fn of(path: &str, text: &str) -> Self {
        let is_test = is_test_file(path);
        let line =
            |(index, text): (usize, &str)| Line { number: index + 1, text: text.into(), is_test };
        let mut lines: Vec<Line> = text.lines().enumerate().map(line).collect();
        mark_test_items(&mut lines);
        Self { path: path.into(), lines }
    }

    /// The lines that are not comments, with their numbers and without quoted text; those of tests only if `tests`.
    pub(super) fn code(&self, tests: bool) -> impl Iterator<Item = (usize, String)> {
        let lines = self.lines.iter().filter(move |it| !it.is_comment() && (tests || !it.is_test));
        lines.map(|line| (line.number, line.unquoted()))
    }

    pub(super) fn complaint(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

fn is_test_file(path: &str) -> bool {
    let is_named_so = path.split('/').any(|part| part == "tests" || part == "tests.rs");
    is_named_so || FOR_TESTS.iter().any(|it| path.starts_with(it))
}

/// Marks what follows a `#[cfg(test)]`: up to the end of the item, which rustfmt puts at the same
/// indentation.
fn mark_test_items(lines: &mut [Line]) {
    let mut open: Option<usize> = None;
    for line in lines {
        let indentation = line.indentation();
        if open.is_none() && line.text.trim() == "#[cfg(test)]" {
            open = Some(indentation);
        }
        let Some(begun) = open else { continue };
        line.is_test = true;
        let text = line.text.trim_end();
        let ends = text.ends_with('}') || text.ends_with(';');
        if indentation == begun && ends {
            open = None;
        }
    }
}

/// Every source of the runtime and of the handler modules.
pub(super) fn all() -> Vec<Source> {
    within(&["src", "handlers"])
}

/// Every source of these folders.
pub(super) fn within(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in folders {
        read(root, &root.join(folder), &mut sources);
    }
    sources
}

fn read(root: &Path, folder: &Path, into: &mut Vec<Source>) {
    // Without handlers, there is no folder.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a folder that can be read").path();
        if path.is_dir() {
            read(root, &path, into);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("a source that can be read");
            let inside = path.strip_prefix(root).expect("a path below the root");
            into.push(Source::of(&inside.to_string_lossy().replace('\\', "/"), &text));
        }
    }
}
