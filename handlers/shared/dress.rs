//! Makes a text with sentences or numbers from plain words, for single and invited lobbies that ask for them.

use rand::{Rng, RngExt as _};

use super::TextWish;

/// One word in this many becomes a number.
const WORDS_PER_NUMBER: u32 = 7;
/// Upper bound of numbers, exclusive.
const NUMBERS: u32 = 10_000;
/// Words per sentence.
const SENTENCE: std::ops::RangeInclusive<usize> = 4..=9;
/// One word in this many is followed by a comma.
const WORDS_PER_COMMA: u32 = 6;
/// Ends of sentences, weighted: most sentences are statements.
const ENDS: [char; 6] = ['.', '.', '.', '.', '?', '!'];

/// The words with the wished sentences and numbers. Their count stays the same.
pub(super) fn text(mut words: Vec<String>, wish: TextWish, chance: &mut impl Rng) -> Vec<String> {
    if wish.numbers {
        for word in &mut words {
            if chance.random_ratio(1, WORDS_PER_NUMBER) {
                *word = chance.random_range(0..NUMBERS).to_string();
            }
        }
    }
    if wish.punctuation {
        punctuate(&mut words, chance);
    }
    words
}

fn punctuate(words: &mut [String], chance: &mut impl Rng) {
    let mut rest = words;
    while !rest.is_empty() {
        let length = chance.random_range(SENTENCE).min(rest.len());
        let (sentence, others) = rest.split_at_mut(length);
        let (last, before) = sentence.split_last_mut().expect("a sentence has words");
        for word in before.iter_mut() {
            if chance.random_ratio(1, WORDS_PER_COMMA) {
                word.push(',');
            }
        }
        last.push(ENDS[chance.random_range(0..ENDS.len())]);
        let first = before.first_mut().unwrap_or(last);
        *first = capital(first);
        rest = others;
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: TextWish = TextWish { words: None, punctuation: true, numbers: true };

    fn plain(count: usize) -> Vec<String> {
        vec!["word".to_owned(); count]
    }

    #[test]
    fn without_a_wish_words_stay_as_they_are() {
        assert_eq!(text(plain(9), TextWish::default(), &mut rand::rng()), plain(9));
    }

    #[test]
    fn sentences_begin_with_a_capital_and_end_with_a_mark() {
        for count in [1, 2, 4, 5, 30, 100] {
            let wish = TextWish { numbers: false, ..ALL };
            let words = text(plain(count), wish, &mut rand::rng());
            assert_eq!(words.len(), count);
            let ends = |word: &String| word.ends_with(['.', '?', '!']);
            assert!(ends(words.last().unwrap()), "{words:?}");
            let mut is_first = true;
            for word in &words {
                assert_eq!(word.starts_with('W'), is_first, "{words:?}");
                is_first = ends(word);
            }
        }
    }

    #[test]
    fn some_words_are_numbers() {
        let words = text(plain(1_000), TextWish { punctuation: false, ..ALL }, &mut rand::rng());
        let numbers = words.iter().filter(|word| word.parse::<u32>().is_ok()).count();
        assert!((50..300).contains(&numbers), "{numbers}");
    }
}
