//! Lists of words, and the texts that are drawn from them.

use std::collections::HashSet;

use rand::Rng;
use rand::seq::index;

use super::{TextWish, dress};

/// Words from which texts are drawn.
pub struct WordList(Vec<Box<str>>);

impl WordList {
    /// Words are separated by white space. Lines that begin with `#`, and repeated words, are skipped.
    pub fn of(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut seen = HashSet::new();
        let words = lines.flat_map(str::split_whitespace).filter(|word| seen.insert(*word));
        Self(words.map(Into::into).collect())
    }

    /// The number of words.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|word| &**word)
    }

    /// Draws a text: words joined by single blanks, with the wished number, sentences and numbers. No word comes again
    /// before all of the list have come.
    pub fn draw(&self, wish: TextWish, chance: &mut impl Rng) -> String {
        let count = wish.words.map_or(self.0.len(), usize::from);
        let mut words = Vec::with_capacity(count);
        while words.len() < count && !self.0.is_empty() {
            let drawn = index::sample(chance, self.0.len(), self.0.len().min(count - words.len()));
            words.extend(drawn.into_iter().map(|index| String::from(&*self.0[index])));
        }
        dress::text(words, wish, chance).join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_comes_twice_and_no_blank_is_doubled() {
        let list = WordList::of("# a list\none two\r\n\n  three one\n");
        let three = TextWish { words: Some(3), ..TextWish::default() };
        let text = list.draw(three, &mut rand::rng());
        let mut words: Vec<_> = text.split(' ').collect();
        words.sort_unstable();
        assert_eq!(words, ["one", "three", "two"]);
    }
}
