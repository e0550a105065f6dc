//! Whatever is typed, the log says it again, in few bytes.

use proptest::prelude::*;

use super::*;

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let letter = prop::sample::select(vec!['a', 'z', ' ', '\'', 'é', '的', '😀']);
    let text = prop::collection::vec(letter, 0..5).prop_map(String::from_iter);
    let edit = (0..5_000_u32, 0..4_u32, text, prop::bool::weighted(0.1));
    prop::collection::vec(edit, 0..60).prop_map(|list| {
        let mut at = 0;
        let edit = |(since, del, ins, composing)| {
            at += since;
            Edit { at, del, ins, composing }
        };
        list.into_iter().map(edit).collect()
    })
}

fn taped(edits: &[Edit]) -> EditTape {
    let mut tape = EditTape::default();
    edits.iter().for_each(|edit| tape.push(edit, edit.at + 40));
    tape
}

fn spots() -> impl Strategy<Value = Vec<Spot>> {
    let spot = (0..5_000_u32, 0..30_u32, -1..20_i32);
    prop::collection::vec(spot, 0..60).prop_map(|list| {
        let mut at = 0;
        let spot = |(since, word_index, char_index)| {
            at += since;
            Spot { at, word_index, char_index }
        };
        list.into_iter().map(spot).collect()
    })
}

proptest! {
    #[test]
    fn edits_are_read_as_they_were_logged(edits in edits()) {
        let tape = taped(&edits);
        prop_assert_eq!(tape.edits(), edits);
        let stored = serde_json::to_string(&tape).unwrap();
        let read: EditTape = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!((read.edits(), read.count), (tape.edits(), tape.count));
    }

    #[test]
    fn positions_are_read_as_they_were_logged(spots in spots()) {
        let mut tape = SpotTape::default();
        for spot in &spots {
            tape.push(*spot, Timestamp(i64::from(spot.at) + 1));
        }
        prop_assert_eq!(tape.spots(), spots.clone());
        prop_assert_eq!(tape.begun, spots.first().map(|it| Timestamp(i64::from(it.at) + 1)));
    }

    #[test]
    fn damage_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let edits = EditTape { log: bytes.clone(), ..EditTape::default() };
        let spots = SpotTape { log: bytes, ..SpotTape::default() };
        prop_assert!(edits.edits().len() <= 40 && spots.spots().len() <= 40);
    }

    #[test]
    fn a_caret_is_where_the_typed_text_ends(edits in edits(), most in 1_usize..8) {
        let of_race = Text::of(&"word ".repeat(most - 1));
        let (mut caret, mut text) = (Caret::default(), Vec::new());
        for edit in &edits {
            caret.follow(edit, &of_race);
            text.truncate(text.len().saturating_sub(edit.del as usize));
            text.extend(edit.ins.encode_utf16());
        }
        let words: Vec<_> = text.split(|unit| *unit == u16::from(b' ')).collect();
        let last = words.last().map_or(0, |word| word.len());
        if words.len() <= most {
            prop_assert_eq!(caret.position(), (words.len() as i64 - 1, last as i64 - 1));
        } else {
            prop_assert_eq!(caret.position().0, most as i64 - 1);
        }
    }
}

#[test]
fn a_clock_that_goes_back_is_held() {
    let at = |at| Edit { at, ins: "a".into(), ..Edit::default() };
    let times: Vec<_> = taped(&[at(100), at(50), at(120)]).edits().iter().map(|it| it.at).collect();
    assert_eq!(times, [100, 100, 120]);
}

#[test]
fn a_race_of_25_words_takes_less_than_a_kilobyte() {
    let text = ["keyboard"; 25].join(" ");
    let edit = |(number, letter): (usize, char)| {
        let at = 130 * u32::try_from(number).unwrap();
        Edit { at, ins: letter.into(), ..Edit::default() }
    };
    let edits: Vec<_> = text.chars().enumerate().map(edit).collect();
    let mut spots = SpotTape::default();
    for (index, letters) in text.split(' ').zip(0..).map(|(word, index)| (index, word.len())) {
        for char_index in -1..i32::try_from(letters).unwrap() {
            spots.push(
                Spot { at: spots.last.at + 130, word_index: index, char_index },
                Timestamp(1),
            );
        }
    }
    let (edits, spots) = (taped(&edits).size(), spots.size());
    assert!(edits < 700 && spots < 500, "{edits} and {spots} bytes");
}

#[test]
fn a_log_that_is_full_says_so_and_counts_on() {
    let mut tape = EditTape::default();
    for at in 0..10_000 {
        tape.push(&Edit { at: at * 1_000, ins: "a".into(), ..Edit::default() }, at);
    }
    assert!(tape.is_cut && tape.size() <= LIMIT);
    assert_eq!(tape.count, 10_000);
    assert!(tape.edits().len() > 4_000);
}
