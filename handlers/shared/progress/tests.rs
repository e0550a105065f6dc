//! Typists before a tracker: whatever becomes of their sockets, what they typed is known.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp(1_000_000_000);
const KEY: Duration = Duration::from_millis(50);

fn texts() -> impl Strategy<Value = Text> {
    prop::collection::vec(1_usize..11, 1..40).prop_map(|lengths| {
        let words: Vec<_> = lengths.into_iter().map(|length| "x".repeat(length)).collect();
        Text::of(&words.join(" "))
    })
}

/// Every position of a player who types the text as it stands, but leaves out the end of each word but the last:
/// `kept` letters of it are typed at most.
fn positions(text: &Text, kept: u16) -> Vec<(u32, i32)> {
    let words = u32::try_from(text.words()).unwrap();
    let word = |index: u32| {
        let length = text.word_length(index).unwrap();
        let length = if index + 1 == words { length } else { length.min(kept) };
        let letters = (0..i32::from(length)).map(move |letter| (index, letter));
        (index > 0).then_some((index, -1)).into_iter().chain(letters)
    };
    (0..words).flat_map(word).collect()
}

/// A player that has heard START.
fn typist(text: &Text) -> Tracker {
    let mut tracker = Tracker::default();
    tracker.resume(text, &Progress::default(), None);
    tracker.begin(START);
    tracker
}

/// Types these positions, a key after the other.
fn types(tracker: &mut Tracker, text: &Text, positions: &[(u32, i32)], mut now: Timestamp) {
    for position in positions {
        now = now + KEY;
        assert_ne!(
            tracker.record_position(text, *position, now, Latency::default()),
            Noted::NotNow
        );
    }
}

proptest! {
    #[test]
    fn a_player_who_types_everything_has_reached_everything_and_is_done_with_the_last_letter(text in texts()) {
        let (mut tracker, all) = (typist(&text), positions(&text, u16::MAX));
        types(&mut tracker, &text, &all, START);
        let seen = tracker.take_unsaved().unwrap();
        prop_assert_eq!(seen.characters(), text.characters());
        prop_assert_eq!((seen.keys as usize, seen.extra, seen.gaps), (all.len(), 0, 0));
        let end = START + KEY * u32::try_from(all.len()).unwrap();
        prop_assert_eq!((seen.completed, seen.at), (Some(end), Some(end)));
        prop_assert_eq!(tracker.take_unsaved(), None, "nothing is told twice");
    }

    #[test]
    fn at_most_two_positions_of_a_race_are_written_down(text in texts()) {
        let mut tracker = typist(&text);
        let noted = positions(&text, u16::MAX).into_iter();
        let noted = noted.filter(|it| tracker.record_position(&text, *it, START, Latency::default()) == Noted::Milestone);
        prop_assert!(matches!(noted.count(), 1..=2));
    }

    #[test]
    fn letters_that_are_left_out_are_not_reached(text in texts(), kept in 1_u16..10) {
        let (mut tracker, some) = (typist(&text), positions(&text, kept));
        types(&mut tracker, &text, &some, START);
        let typed = some.iter().filter(|(_, letter)| *letter >= 0).count() + text.words() - 1;
        prop_assert_eq!(tracker.take_unsaved().unwrap().characters() as usize, typed);
    }

    #[test]
    fn what_several_servers_have_seen_is_what_one_would_have(
        text in texts(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let all = positions(&text, u16::MAX);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(all.len())).collect();
        cuts.sort_unstable();
        let (mut known, mut from) = (Progress::default(), 0);
        for to in cuts.into_iter().chain([all.len()]) {
            let mut elsewhere = Tracker::default();
            elsewhere.resume(&text, &known, Some(START));
            types(&mut elsewhere, &text, &all[from..to], START + KEY * u32::try_from(from).unwrap());
            elsewhere.take_unsaved().iter().for_each(|seen| assert!(known.absorb(seen)));
            from = to;
        }
        let mut one = typist(&text);
        types(&mut one, &text, &all, START);
        prop_assert_eq!(known, one.take_unsaved().unwrap());
    }

    #[test]
    fn what_could_not_be_written_is_still_to_be_written(text in texts()) {
        let mut tracker = typist(&text);
        types(&mut tracker, &text, &positions(&text, u16::MAX), START);
        let seen = tracker.take_unsaved().unwrap();
        tracker.put_back(&seen);
        prop_assert_eq!(tracker.take_unsaved(), Some(seen));
    }
}

#[test]
fn before_start_nothing_is_typed() {
    let (text, mut tracker) = (Text::of("two words"), Tracker::default());
    tracker.resume(&text, &Progress::default(), None);
    assert_eq!(tracker.record_position(&text, (0, 0), START, Latency::default()), Noted::NotNow);
    assert_eq!(tracker.take_unsaved(), None);
}

#[test]
fn a_key_after_the_end_changes_nothing_here_or_elsewhere() {
    let text = Text::of("two words");
    let mut tracker = typist(&text);
    types(&mut tracker, &text, &positions(&text, u16::MAX), START);
    let mut known = tracker.take_unsaved().unwrap();
    let end = known.clone();
    assert_eq!(
        tracker.record_position(&text, (0, 1), START + KEY * 900, Latency::default()),
        Noted::Typed
    );
    assert_eq!(tracker.take_unsaved(), None);
    let stray = Progress { keys: 1, at: Some(START + KEY * 900), ..Progress::default() };
    assert!(!known.absorb(&stray));
    assert_eq!(known, end);
}

#[test]
fn an_end_was_not_before_what_was_typed_elsewhere() {
    let early = Progress { at: Some(START), completed: Some(START), ..Progress::default() };
    let later = START + KEY;
    let mut known = Progress { keys: 9, at: Some(later), ..Progress::default() };
    assert!(known.absorb(&early));
    assert_eq!(known.completed, Some(later));
}

#[test]
fn a_jump_is_credited_only_after_a_reconnect_and_by_the_time_since_start() {
    let text = Text::of("aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd");
    let reached = |is_back: bool, away: Duration| {
        let mut tracker = typist(&text);
        types(&mut tracker, &text, &positions(&text, u16::MAX)[..5], START);
        let last = START + KEY * 5;
        if is_back {
            tracker.resume(&text, &Progress::default(), None);
        }
        tracker.record_position(&text, (3, 0), last + away, Latency::default());
        let seen = tracker.take_unsaved().unwrap();
        (seen.reached, seen.gaps)
    };
    let second = Duration::from_secs(1);
    assert_eq!(reached(false, second), (vec![5, 0, 0, 1], 0));
    assert_eq!(reached(true, second), (vec![10, 10, 10, 1], 1));
    // 22 characters and 7, less the 5 that were seen, with a blank after each word.
    assert_eq!(reached(true, second / 2), (vec![10, 10, 0, 1], 1));
    assert_eq!(reached(true, Duration::ZERO), (vec![7, 0, 0, 1], 1));
}

#[test]
fn a_position_that_a_stall_has_held_up_takes_no_credit_from_the_next_socket() {
    let text = Text::of("aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd");
    let mut tracker = typist(&text);
    types(&mut tracker, &text, &positions(&text, u16::MAX)[..5], START);
    let back = START + Duration::from_secs(3);
    tracker.record_position(&text, (0, 5), back, Latency::default());
    tracker.resume(&text, &Progress::default(), None);
    tracker.record_position(&text, (3, 9), back + KEY / 2, Latency::default());
    assert_eq!(tracker.take_unsaved().unwrap().reached, [10, 10, 10, 10]);
}

#[test]
fn a_client_that_reconnects_at_each_word_is_not_credited_for_long() {
    let text = Text::of(&["aaaaaaaaaa"; 25].join(" "));
    let mut tracker = typist(&text);
    for word in 0..25 {
        tracker.resume(&text, &Progress::default(), None);
        tracker.record_position(
            &text,
            (word, 6),
            START + Duration::from_secs(u64::from(word) * 2),
            Latency::default(),
        );
    }
    let seen = tracker.take_unsaved().unwrap();
    assert_eq!(seen.gaps, GAPS);
    assert_eq!(seen.characters(), 25 * 7 + GAPS * 3 + 24);
}

#[test]
fn letters_beyond_a_word_are_counted_and_taking_them_back_is_not() {
    let text = Text::of("two words");
    let mut tracker = typist(&text);
    for letter in [0, 1, 2, 3, 4, 3, 2, 3] {
        tracker.record_position(&text, (0, letter), START, Latency::default());
    }
    let seen = tracker.take_unsaved().unwrap();
    assert_eq!((seen.extra, seen.keys, seen.characters()), (3, 8, 3));
}
