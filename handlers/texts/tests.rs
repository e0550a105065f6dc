//! The texts of the library, and the rules of choice.

use proptest::prelude::*;

use super::choice::{Choice, TextKind};
use super::library::{Library, typeable};
use crate::handlers::shared::TextWish;

const WISH: TextWish = TextWish { words: Some(25), punctuation: false, numbers: false };

fn choice(kind: TextKind, language: Option<&str>) -> Choice {
    Choice { kind, language: language.map(str::to_owned), ..Choice::default() }
}

#[test]
fn every_language_has_words_and_every_kind_has_texts() {
    let library = Library::default();
    let languages = library.languages(TextKind::Words);
    assert!(languages.len() >= 6, "the default and five others");
    for language in &languages[1..] {
        let choice = choice(TextKind::Words, Some(language));
        let drawn = library.draw(&choice, WISH, false).unwrap();
        assert_eq!(drawn.words.split(' ').count(), 25, "{language}");
        assert_eq!(typeable(&drawn.words).unwrap(), drawn.words, "{language}");
    }
    for language in library.languages(TextKind::Code) {
        for _ in 0..50 {
            let drawn =
                library.draw(&choice(TextKind::Code, Some(&language)), WISH, false).unwrap();
            let count = u32::try_from(drawn.words.split(' ').count()).unwrap();
            assert!(drawn.about.lines.len() >= 4, "{drawn:?}");
            assert!(drawn.about.lines.is_sorted());
            assert!(drawn.about.lines.iter().all(|(at, _)| (1..count).contains(at)), "{drawn:?}");
            assert_eq!(typeable(&drawn.words).unwrap(), drawn.words);
        }
    }
    for _ in 0..200 {
        let quote = library.draw(&choice(TextKind::Quotes, None), WISH, false).unwrap();
        assert!(quote.about.source.is_some_and(|it| !it.is_empty()), "{}", quote.words);
        assert!((3..=60).contains(&quote.words.split(' ').count()), "{}", quote.words);
        assert_eq!(typeable(&quote.words).unwrap(), quote.words);
    }
}

#[test]
fn against_the_clock_only_words_are_long_enough() {
    let library = Library::default();
    assert!(library.draw(&choice(TextKind::Words, Some("german")), WISH, true).is_some());
    assert!(library.draw(&choice(TextKind::Quotes, None), WISH, true).is_none());
    assert!(library.draw(&choice(TextKind::Code, None), WISH, true).is_none());
}

#[test]
fn a_query_names_a_kind_and_a_language_of_it() {
    let library = Library::default();
    let asked = |text: &str, language: &str| {
        let query = [("text", text), ("language", language)];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Choice::asked_for(&query).and_then(|choice| library.check(&choice).map(|()| choice))
    };
    assert_eq!(asked("", "").unwrap(), Choice::default());
    assert_eq!(asked("code", "rust").unwrap(), choice(TextKind::Code, Some("rust")));
    assert!(asked("quotes", "").is_ok() && asked("words", "german").is_ok());
    for (text, language) in [("own", ""), ("poems", ""), ("code", "german"), ("quotes", "latin")] {
        assert!(asked(text, language).is_err(), "{text} {language}");
    }
}

#[test]
fn a_custom_text_is_made_typeable() {
    assert_eq!(
        typeable(" “Cafe\u{301}” –\r\n\tno\u{200B}w\u{A0}… ").unwrap(),
        "\"Café\" - now ..."
    );
    for wrong in ["", " \n\t\u{200B}", "fun 🎉", &"word ".repeat(201), &"x".repeat(2_001)] {
        assert!(typeable(wrong).is_err(), "{wrong:?}");
    }
    assert!(typeable(&"word ".repeat(200)).is_ok());
}

proptest! {
    #[test]
    fn whatever_is_typeable_stays_as_it_is(text in "\\PC{0,80}") {
        if let Ok(once) = typeable(&text) {
            prop_assert_eq!(typeable(&once).unwrap(), once.clone());
            prop_assert!(once.split(' ').all(|word| !word.is_empty()));
        }
    }
}
