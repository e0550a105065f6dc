//! Names that people give themselves: as others see them, and as they are compared.

use unicode_normalization::UnicodeNormalization;

/// Letters of a name that others get to see.
const LIMIT: usize = 64;

/// What cannot be seen: Unicode 16, DerivedCoreProperties.txt, `Default_Ignorable_Code_Point`; and the
/// blank of Braille.
const INVISIBLE: [(char, char); 18] = [
    ('\u{AD}', '\u{AD}'),
    ('\u{34F}', '\u{34F}'),
    ('\u{61C}', '\u{61C}'),
    ('\u{115F}', '\u{1160}'),
    ('\u{17B4}', '\u{17B5}'),
    ('\u{180B}', '\u{180F}'),
    ('\u{200B}', '\u{200F}'),
    ('\u{202A}', '\u{202E}'),
    ('\u{2060}', '\u{206F}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{FE00}', '\u{FE0F}'),
    ('\u{FEFF}', '\u{FEFF}'),
    ('\u{FFA0}', '\u{FFA0}'),
    ('\u{FFF0}', '\u{FFF8}'),
    ('\u{1BCA0}', '\u{1BCA3}'),
    ('\u{1D173}', '\u{1D17A}'),
    ('\u{E0000}', '\u{E0FFF}'),
];

/// The name as others see it: without what cannot be seen, single blanks, at most 64 letters. `None` if
/// nothing is left.
pub fn shown_name(name: &str) -> Option<String> {
    let is_seen = |letter: &char| !INVISIBLE.iter().any(|(from, to)| (from..=to).contains(&letter));
    let seen: String = name.chars().filter(is_seen).collect();
    let words = seen.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let name: String = words.join(" ").chars().take(LIMIT).collect();
    Some(name.trim_end().to_owned()).filter(|name| !name.is_empty())
}

/// What no two accounts may share: names that differ in case or in the form of their letters (Unicode
/// Standard Annex 15, NFKC) are one.
pub fn name_key(name: &str) -> String {
    let shown = shown_name(name).unwrap_or_default();
    shown.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Whether others would take who has this name for a bot: those are marked by ` (bot)` at its end, in any case and
/// with blanks or without.
pub fn looks_like_a_bot(name: &str) -> bool {
    let letters: String = name_key(name).split_whitespace().collect();
    letters.ends_with("(bot)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_can_be_seen_of_it() {
        let long = "é".repeat(200);
        for (given, shown) in [
            (" An\u{200B}na\n", Some("Anna")),
            ("\u{202E}annA \t Lena", Some("annA Lena")),
            (&long, Some("é".repeat(64).as_str())),
            ("\u{3164} \u{0}", None),
            ("", None),
        ] {
            assert_eq!(shown_name(given).as_deref(), shown, "{given:?}");
        }
    }

    #[test]
    fn names_that_look_alike_are_one() {
        for name in ["ANNA LENA", " anna   lena ", "Anna\u{200B} Lena", "Ａｎｎａ Lena"] {
            assert_eq!(name_key(name), name_key("Anna Lena"), "{name:?}");
        }
        assert_eq!(name_key("A\u{308}nna"), name_key("Änna"));
        assert_ne!(name_key("Annalena"), name_key("Anna Lena"));
    }

    #[test]
    fn a_bot_is_known_by_the_end_of_its_name() {
        for name in [
            "Swift Otter (bot)",
            "a(BOT)",
            "a ( b o t ) ",
            "(bot)",
            "a\u{200B}(bo\u{200B}t)",
            "a （ｂｏｔ）",
        ] {
            assert!(looks_like_a_bot(name), "{name:?}");
        }
        for name in ["Abbot", "bot", "(bot) Anna", "Anna (not a bot)", ""] {
            assert!(!looks_like_a_bot(name), "{name:?}");
        }
    }
}
