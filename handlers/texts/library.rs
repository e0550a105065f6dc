//! The texts of this server: word lists, quotations and program code, and the rules for a text of one's own.

use std::borrow::Cow;

use rand::seq::IndexedRandom as _;
use unicode_normalization::UnicodeNormalization as _;

use super::choice::{Choice, TextKind};
use super::settings::TextSettings;
use crate::Error;
use crate::handlers::shared::{DrawnText, TextAbout, TextWish, WordList};
use crate::module::Setup;

/// Word lists by language (see `LICENSE.md`); English is the list of the settings.
const LISTS: [(&str, &str); 6] = [
    ("german", include_str!("lists/german.txt")),
    ("french", include_str!("lists/french.txt")),
    ("spanish", include_str!("lists/spanish.txt")),
    ("italian", include_str!("lists/italian.txt")),
    ("portuguese", include_str!("lists/portuguese.txt")),
    ("dutch", include_str!("lists/dutch.txt")),
];

/// The server's own list.
const DEFAULT: &str = "default";

const CODE: [(&str, &str); 5] = [
    ("javascript", include_str!("code/javascript.txt")),
    ("python", include_str!("code/python.txt")),
    ("rust", include_str!("code/rust.txt")),
    ("go", include_str!("code/go.txt")),
    ("c", include_str!("code/c.txt")),
];

const QUOTES: &str = include_str!("quotes.txt");

/// Most characters of a text of one's own, blanks included, and most words.
const OWN_LENGTH: usize = 2_000;
const OWN_WORDS: usize = 200;

/// All texts of this server.
pub(super) struct Library {
    lists: Vec<(&'static str, WordList)>,
    code: Vec<(&'static str, Vec<DrawnText>)>,
    quotes: Vec<DrawnText>,
    open: Choice,
}

impl Library {
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        let library = Self { open: TextSettings::load(setup)?, ..Self::default() };
        let known = library.check(&library.open);
        known.map_err(|_| {
            let known = library.languages(library.open.kind).join(", ");
            format!("setting handlers.texts.open_language: must be one of {known}")
        })?;
        Ok(library)
    }

    /// The choice for open lobbies.
    pub(super) fn open(&self) -> &Choice {
        &self.open
    }

    /// The languages of a kind, the default first.
    pub(super) fn languages(&self, kind: TextKind) -> Vec<String> {
        let names: Vec<&str> = match kind {
            TextKind::Words => {
                let lists = self.lists.iter().map(|(name, _)| *name);
                std::iter::once(DEFAULT).chain(lists).collect()
            }
            TextKind::Code => self.code.iter().map(|(name, _)| *name).collect(),
            TextKind::Quotes | TextKind::Own | TextKind::Again => Vec::new(),
        };
        names.into_iter().map(str::to_owned).collect()
    }

    /// Checks that the chosen text exists.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, which names what is offered.
    pub(super) fn check(&self, choice: &Choice) -> Result<(), Error> {
        if choice.kind == TextKind::Own && choice.own.is_none() {
            return Err(Error::validation("own: the text is missing"));
        }
        let Some(language) = &choice.language else { return Ok(()) };
        let known = self.languages(choice.kind);
        if known.contains(language) {
            return Ok(());
        }
        let must = match known.is_empty() {
            true => format!("must be left out for {}", choice.kind.name()),
            false => format!("must be one of {}", known.join(", ")),
        };
        Err(Error::validation(format!("language: {must}")))
    }

    /// Draws a chosen text. `None` leaves it to the server's words; `is_timed` needs a text of the wished length.
    pub(super) fn draw(
        &self,
        choice: &Choice,
        wish: TextWish,
        is_timed: bool,
    ) -> Option<DrawnText> {
        let chance = &mut rand::rng();
        let language = choice.language.as_deref();
        match choice.kind {
            TextKind::Words => {
                let (name, list) = self.lists.iter().find(|(name, _)| Some(*name) == language)?;
                let about =
                    TextAbout { language: Some((*name).to_owned()), ..TextAbout::default() };
                Some(DrawnText { words: list.draw(wish, chance), about })
            }
            _ if is_timed => None,
            TextKind::Quotes => self.quotes.choose(chance).cloned(),
            TextKind::Code => {
                let chosen = self.code.iter().find(|(name, _)| Some(*name) == language);
                let (_, snippets) = chosen.or(self.code.first())?;
                snippets.choose(chance).cloned()
            }
            TextKind::Own => {
                let words = choice.own.clone()?;
                let about = TextAbout { kind: TextAbout::OWN.into(), ..TextAbout::default() };
                Some(DrawnText { words, about })
            }
            TextKind::Again => None,
        }
    }
}

impl Default for Library {
    fn default() -> Self {
        Self {
            lists: LISTS.map(|(name, text)| (name, WordList::of(text))).into(),
            code: CODE.map(|(name, text)| (name, snippets(name, text))).into(),
            quotes: quotes(QUOTES),
            open: Choice::default(),
        }
    }
}

/// The snippets of a file: separated by `---`, after a first line that begins with `#!`.
fn snippets(language: &str, text: &str) -> Vec<DrawnText> {
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("#!"))
        .fold(String::new(), |text, line| text + line + "\n");
    let snippets = text.split("---\n").map(|snippet| snippet.trim_matches('\n'));
    snippets.filter(|it| !it.is_empty()).map(|it| snippet(language, it)).collect()
}

/// A snippet: its words, and the lines after the first with their blanks.
fn snippet(language: &str, code: &str) -> DrawnText {
    let (mut words, mut lines) = (Vec::new(), Vec::new());
    for line in code.lines() {
        if let Some(next) = u32::try_from(words.len()).ok().filter(|next| *next > 0) {
            let blanks = line.len() - line.trim_start().len();
            lines.push((next, u16::try_from(blanks).unwrap_or_default()));
        }
        words.extend(line.split_whitespace());
    }
    let about = TextAbout {
        kind: TextKind::Code.name().into(),
        language: Some(language.to_owned()),
        source: None,
        lines,
    };
    DrawnText { words: words.join(" "), about }
}

/// The quotations: separated by empty lines, each with its source in a last line after `--`.
fn quotes(text: &str) -> Vec<DrawnText> {
    let blocks = text.split("\n\n").map(|block| {
        let lines = block.lines().filter(|line| !line.starts_with('#'));
        let (source, words): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("-- "));
        let words: Vec<_> = words.into_iter().flat_map(str::split_whitespace).collect();
        let source = source.first().map(|line| line[3..].to_owned());
        let about =
            TextAbout { kind: TextKind::Quotes.name().into(), source, ..TextAbout::default() };
        DrawnText { words: words.join(" "), about }
    });
    blocks.filter(|quote| !quote.words.is_empty()).collect()
}

/// A text of one's own as it can be typed: words joined by single blanks, in Unicode's form NFC, with the quotation
/// marks, dashes and blanks that keyboards have.
///
/// # Errors
/// `VALIDATION_ERROR`, if nothing is left, it is too long, or it has characters that count as two in browsers.
pub(super) fn typeable(text: &str) -> Result<String, Error> {
    let wrong = |why: &str| Error::validation(format!("own: {why}"));
    if text.len() > OWN_LENGTH * 4 {
        return Err(wrong("must have 2000 characters at most"));
    }
    let plain: String = text.nfc().map(keyed).collect();
    if plain.chars().any(|letter| u32::from(letter) > 0xFFFF) {
        return Err(wrong("has characters that cannot be typed here, such as emoji"));
    }
    let words: Vec<String> = plain
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let joined = words.join(" ");
    match () {
        () if joined.is_empty() => Err(wrong("is empty")),
        () if words.len() > OWN_WORDS => Err(wrong("must have 200 words at most")),
        () if joined.chars().count() > OWN_LENGTH => {
            Err(wrong("must have 2000 characters at most"))
        }
        () => Ok(joined),
    }
}

/// A character as keyboards have it.
fn keyed(letter: char) -> Cow<'static, str> {
    Cow::Borrowed(match letter {
        '\u{2018}' | '\u{2019}' | '\u{201A}' => "'",
        '\u{201C}' | '\u{201D}' | '\u{201E}' => "\"",
        '\u{2013}' | '\u{2014}' | '\u{2212}' => "-",
        '\u{2026}' => "...",
        // Invisible: zero-width characters, and marks of direction.
        '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' => "",
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => "",
        letter => return Cow::Owned(letter.to_string()),
    })
}
