//! The server's words: the list that the settings name.

use std::path::Path;

use rand::Rng;

use super::{TextWish, WordList};
use crate::module::Setup;
use crate::settings::GameSettings;

/// Common English words (see `words/LICENSE.md`).
const ENGLISH: &str = include_str!("words/english.txt");

/// The folder of the data directory for the operator's own lists, `<name>.txt` each.
const LISTS: &str = "words";

/// The words from which texts are drawn, unless their players choose others.
pub struct WordSource(WordList);

impl WordSource {
    /// Loads the list that the settings name: the file `game.word_file`, or the list `game.word_list` in the data
    /// directory, or the built-in English one.
    ///
    /// # Errors
    /// One sentence, if there is no such list, or if it has fewer words than `game.word_count`.
    pub fn load(setup: &Setup<'_>) -> Result<Self, String> {
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

    fn of(text: &str, from: &str, game: &GameSettings) -> Result<Self, String> {
        let (words, wanted) = (WordList::of(text), game.word_count);
        if words.len() < wanted {
            let count = words.len();
            return Err(format!("game.word_count is {wanted}, but {from} has only {count} words"));
        }
        Ok(Self(words))
    }

    /// Draws a text.
    pub fn draw(&self, wish: TextWish, chance: &mut impl Rng) -> String {
        self.0.draw(wish, chance)
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
        assert!(source.0.words().all(proper));
    }

    #[test]
    fn a_list_that_is_too_short_is_refused() {
        let complaint = "game.word_count is 3, but list.txt has only 2 words";
        assert_eq!(of("one two one", 3).err().as_deref(), Some(complaint));
    }
}
