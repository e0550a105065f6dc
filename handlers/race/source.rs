//! The source of the words: lists of words, and the draw.

use std::collections::HashSet;
use std::path::Path;

use rand::Rng;
use rand::seq::index;

use super::dress;
use crate::handlers::shared::TextWish;
use crate::module::Setup;
use crate::settings::GameSettings;

/// Common English words (see `words/LICENSE.md`).
const ENGLISH: &str = include_str!("words/english.txt");

/// The folder of the data directory for the operator's own lists, `<name>.txt` each.
const LISTS: &str = "words";

/// The words from which texts are drawn.
pub(super) struct WordSource(Vec<Box<str>>);

impl WordSource {
    /// Loads the list that the settings name: the file `game.word_file`, or the list `game.word_list` in the data
    /// directory, or the built-in English one.
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        let game = &setup.settings.game;
        let list = setup.data_dir().join(LISTS).join(format!("{}.txt", game.word_list));
        let (text, from) = match &game.word_file {
            Some(file) => (read(file)?, file.display().to_string()),
            None if list.is_file() => (read(&list)?, list.display().to_string()),
            None if game.word_list == "english" => (ENGLISH.into(), "the built-in list".into()),
            None => {
                return Err(format!(
                    "game.word_list is {:?}, but there is no {}",
                    game.word_list,
                    list.display()
                ));
            }
        };
        Self::of(&text, &from, game)
    }

    /// Words are separated by white space. Lines that begin with `#`, and repeated words, are skipped.
    fn of(text: &str, from: &str, game: &GameSettings) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut seen = HashSet::new();
        let words: Vec<Box<str>> = lines
            .flat_map(str::split_whitespace)
            .filter(|word| seen.insert(*word))
            .map(Into::into)
            .collect();
        if words.len() < game.word_count {
            let (count, wanted) = (words.len(), game.word_count);
            return Err(format!("game.word_count is {wanted}, but {from} has only {count} words"));
        }
        Ok(Self(words))
    }

    /// Draws a text: words joined by single blanks, with the wished number, sentences and numbers. No word comes again
    /// before all of the list have come.
    pub(super) fn draw(&self, wish: TextWish, chance: &mut impl Rng) -> String {
        let count = wish.words.map_or(self.0.len(), usize::from);
        let mut words = Vec::with_capacity(count);
        while words.len() < count {
            let drawn = index::sample(chance, self.0.len(), self.0.len().min(count - words.len()));
            words.extend(drawn.into_iter().map(|index| String::from(&*self.0[index])));
        }
        dress::text(words, wish, chance).join(" ")
    }
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, word_count: usize) -> Result<WordSource, String> {
        WordSource::of(text, "list.txt", &GameSettings { word_count, ..GameSettings::default() })
    }

    #[test]
    fn the_built_in_list_has_only_proper_words() {
        let source = of(ENGLISH, 25).unwrap_or_else(|error| panic!("{error}"));
        assert!(source.0.len() > 2_500);
        let proper = |word: &str| word.len() >= 2 && word.bytes().all(|it| it.is_ascii_lowercase());
        assert!(source.0.iter().all(|word| proper(word)));
    }

    #[test]
    fn no_word_comes_twice_and_no_blank_is_doubled() {
        let source =
            of("# a list\none two\r\n\n  three one\n", 3).unwrap_or_else(|error| panic!("{error}"));
        let three = TextWish { words: Some(3), ..TextWish::default() };
        let mut words: Vec<_> =
            source.draw(three, &mut rand::rng()).split(' ').map(String::from).collect();
        words.sort();
        assert_eq!(words, ["one", "three", "two"]);
    }

    #[test]
    fn a_list_that_is_too_short_is_refused() {
        let complaint = "game.word_count is 3, but list.txt has only 2 words";
        assert_eq!(of("one two one", 3).err().as_deref(), Some(complaint));
    }
}
