//! The text of a race, as far as a position can be checked against it.

use std::sync::Arc;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::Progress;
use crate::game::{Game, Part, Timestamp};

/// The words of a race, joined by single blanks; empty until the lobby has closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub Arc<str>);

impl Part for Words {
    const NAME: &'static str = "words";
}

/// What is known of a text besides its words. The default stands for common words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TextAbout {
    /// Its kind: empty for common words, else that of a module, such as `quotes`.
    pub kind: String,
    /// Its language, if it is not the server's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where it is from: author and work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The lines after the first, if it has lines: index of the first word, and number of blanks before it. At the end
    /// of a line players type Enter; the blanks are typed for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<(u32, u16)>,
}

impl Part for TextAbout {
    const NAME: &'static str = "text_about";
}

/// The kind of common words.
pub const WORDS: &str = "words";

impl TextAbout {
    /// The kind of a text that a player has entered.
    pub const OWN: &str = "own";
    /// The kind of a text that a player has typed before.
    pub const AGAIN: &str = "again";
}

/// The text of a race, drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrawnText {
    /// The words, joined by single blanks.
    pub words: String,
    /// What is known of it.
    pub about: TextAbout,
}

impl Game {
    /// The kind of its text, with the language if it is not the default: `words`, `words-german`, `code-rust`. `None` for
    /// texts that a player knew before, so that results cannot be compared.
    pub fn text_kind(&self) -> Option<String> {
        let about = self.part::<TextAbout>();
        let kind = match about.kind.as_str() {
            TextAbout::OWN | TextAbout::AGAIN => return None,
            "" => WORDS,
            kind => kind,
        };
        Some(about.language.iter().fold(kind.to_owned(), |kind, language| kind + "-" + language))
    }

    /// The words of the race; empty until the lobby has closed.
    pub fn words(&self) -> Arc<str> {
        self.part::<Words>().0.clone()
    }
}

/// Number of characters beyond the end of a word that are still shown to the other players.
const OVERTYPED: i64 = 32;

/// The lengths of the words of a race, in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Arc<[u16]>);

impl Text {
    /// The text of words joined by blanks.
    pub fn of(words: &str) -> Self {
        let length = |word: &str| u16::try_from(word.chars().count()).unwrap_or(u16::MAX);
        Self(words.split_whitespace().map(length).collect())
    }

    /// Length of a word in characters; `None` if there is no such word.
    pub fn word_length(&self, index: u32) -> Option<u16> {
        self.0.get(usize::try_from(index).ok()?).copied()
    }

    /// A position, checked against the text: -1 is before the first character of a word, and a few characters beyond its
    /// end are allowed.
    pub fn position(&self, word_index: i64, char_index: i64) -> Option<(u32, i32)> {
        let word_index = u32::try_from(word_index).ok()?;
        let length = i64::from(self.word_length(word_index)?);
        let within = (-1..=length + OVERTYPED).contains(&char_index);
        Some((word_index, i32::try_from(char_index).ok().filter(|_| within)?))
    }

    /// The progress of a player who has typed all of it.
    pub fn typed(&self, at: Timestamp) -> Progress {
        let (reached, keys) = (self.0.to_vec(), self.characters());
        Progress { reached, keys, at: Some(at), completed: Some(at), ..Progress::default() }
    }

    /// Number of words.
    pub fn words(&self) -> usize {
        self.0.len()
    }

    /// Number of characters, including the blanks between words.
    pub fn characters(&self) -> u32 {
        let blanks = u32::try_from(self.0.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.0.iter().map(|length| u32::from(*length)).sum::<u32>().saturating_add(blanks)
    }
}
