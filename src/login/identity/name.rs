//! Names that players choose: how they are shown, and how they are compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::game::ANONYMOUS;

/// Characters of a shown name.
const LIMIT: usize = 64;

/// Invisible characters: Unicode 16, DerivedCoreProperties.txt, `Default_Ignorable_Code_Point`; and the blank of
/// Braille.
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

/// The name as shown: without invisible characters, with single spaces, at most 64 characters. `None` if nothing is
/// left.
pub fn shown_name(name: &str) -> Option<String> {
    let is_seen = |letter: &char| !INVISIBLE.iter().any(|(from, to)| (from..=to).contains(&letter));
    let seen: String = name.chars().filter(is_seen).collect();
    let words = seen.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let name: String = words.join(" ").chars().take(LIMIT).collect();
    Some(name.trim_end().to_owned()).filter(|name| !name.is_empty())
}

/// The unique key of an account's name: names that differ only in case or in the form of their letters (Unicode
/// Standard Annex 15, NFKC) are the same.
pub fn name_key(name: &str) -> String {
    let shown = shown_name(name).unwrap_or_default();
    shown.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Why this name is refused: it could impersonate another player. `None` if it is allowed.
pub fn refusal(name: &str) -> Option<&'static str> {
    if name == ANONYMOUS {
        return Some("is that of deleted accounts");
    }
    if looks_like_a_bot(name) {
        return Some("ends like that of a bot");
    }
    mixes_scripts(name).then_some("mixes letters of several scripts")
}

/// Whether the name ends in `(bot)`, the suffix of bots, or in a look-alike: in any case, with spaces, accents and
/// other brackets, followed by punctuation, and in letters of other scripts (Unicode Technical Standard 39, section 4).
pub fn looks_like_a_bot(name: &str) -> bool {
    let marked = |text: &str| {
        let seen = skeleton(text).filter(|it| !is_combining_mark(*it) && !it.is_whitespace());
        let seen: String = seen.flat_map(char::to_lowercase).collect();
        let word = seen.trim_end_matches(|it: char| !it.is_alphanumeric());
        word.strip_suffix("bot")
            .is_some_and(|rest| rest.ends_with(['(', '[', '{', '<', '\u{2039}']))
    };
    // Some letters look alike in one case only.
    let shown: String = shown_name(name).unwrap_or_default().nfkc().collect();
    marked(&shown) || marked(&shown.to_lowercase()) || marked(&shown.to_uppercase())
}

/// Whether the name mixes letters of scripts that no language combines, which makes names look alike. Latin letters may
/// be combined with Chinese, Japanese and Korean ones (Unicode Technical Standard 39, section 5.2, "highly
/// restrictive").
fn mixes_scripts(name: &str) -> bool {
    let latin = AugmentedScriptSet::for_char('a');
    let is_latin = |letter: &char| {
        let mut scripts = AugmentedScriptSet::for_char(*letter);
        scripts.intersect_with(latin);
        !scripts.base.is_empty()
    };
    let others: String = name.chars().filter(|letter| !is_latin(letter)).collect();
    let others = AugmentedScriptSet::for_str(&others);
    let beside_latin = others.hanb || others.jpan || others.kore;
    AugmentedScriptSet::for_str(name).is_empty() && !beside_latin
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
            "a (bοt)",
            "a (Ьот)",
            "a (ВОТ)",
            "a (b0t)",
            "a (bót)",
            "a [bot]",
            "a (bot).",
            "a ❨bot❩",
            "a (𝐛𝐨𝐭)",
        ] {
            assert!(looks_like_a_bot(name), "{name:?}");
        }
        for name in ["Abbot", "bot", "(bot) Anna", "Anna (not a bot)", ""] {
            assert!(!looks_like_a_bot(name), "{name:?}");
        }
    }

    #[test]
    fn the_name_of_deleted_accounts_is_refused() {
        assert_eq!(refusal("-"), Some("is that of deleted accounts"));
        assert_eq!(refusal("--"), None);
    }

    #[test]
    fn letters_of_several_scripts_do_not_stand_in_one_name() {
        // Cyrillic а, Greek ο, Cherokee Ꭺ.
        for name in ["Аnna", "Bοb", "Ꭺnna", "Иван Ivan", "Αλέξης Иван"] {
            assert_eq!(refusal(name), Some("mixes letters of several scripts"), "{name:?}");
        }
        let fine = [
            "Änna 1",
            "Иван",
            "Αλέξης",
            "太郎 Taro",
            "たろう太郎",
            "김 Kim",
            "أنا",
            "🚀 Anna",
            "O'Neil-Ł",
        ];
        for name in fine {
            assert_eq!(refusal(name), None, "{name:?}");
        }
    }
}
