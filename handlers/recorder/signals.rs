//! Signals that a program has typed, not a person. Pure. Each one has a sentence in `web/grades.js`, so the player can read why a
//! result is not verified.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::game::Figures;
use crate::handlers::shared::Edit;

/// Fewer intervals than this say nothing of their evenness.
const INTERVALS: usize = 30;

/// A longer interval is a pause, and is not counted among those between keys.
const PAUSE: u32 = 1_000;

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[salvo(schema(name = "RecordingSignal"))]
pub(super) enum Signal {
    /// Several words came at once. A keyboard of a phone puts in one word at once.
    Pasted,
    /// The intervals between keys differ less than those of a person do.
    TooEven,
    /// The raw speed is higher than that of any person.
    TooFast,
    /// So many keys without a mistake or a correction.
    Flawless,
    /// The intervals are those of an earlier race.
    Repeated,
}

/// From where on something is a signal.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Thresholds {
    /// Words that come at once, the last of them perhaps in part; 0: never.
    pub(super) words_at_once: u32,
    /// The least standard deviation of the intervals, in percent of their mean; 0: never.
    pub(super) least_variation_percent: f64,
    /// Raw words per minute; 0: never.
    pub(super) fastest_wpm: f64,
    /// Keys without a mistake or a correction; 0: never.
    pub(super) flawless_keys: u32,
    /// How alike the intervals of one of the player's last races are, in percent: their correlation; 0: never.
    pub(super) most_likeness_percent: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            words_at_once: 3,
            least_variation_percent: 12.0,
            fastest_wpm: 300.0,
            flawless_keys: 1_500,
            most_likeness_percent: 97.0,
        }
    }
}

/// The signals of edits with these figures, apart from [`Signal::Repeated`], which other recordings show.
pub(super) fn signals(edits: &[Edit], figures: &Figures, from: &Thresholds) -> Vec<Signal> {
    let found = [
        (Signal::Pasted, are_pasted(edits, from.words_at_once)),
        (
            Signal::TooEven,
            variation(edits).is_some_and(|it| it * 100.0 < from.least_variation_percent),
        ),
        (Signal::TooFast, from.fastest_wpm > 0.0 && figures.wpm_raw > from.fastest_wpm),
        (Signal::Flawless, figures.acc >= 100.0 && are_flawless(edits, from.flawless_keys)),
    ];
    found.into_iter().filter(|(_, is_there)| *is_there).map(|(signal, _)| signal).collect()
}

/// Whether so many words came in one event: edits at the same time, since a long text is cut into several.
fn are_pasted(edits: &[Edit], words: u32) -> bool {
    let words_of = |edits: &[Edit]| {
        let text: String = edits.iter().map(|edit| edit.ins.as_str()).collect();
        u32::try_from(text.split(' ').filter(|word| !word.is_empty()).count()).unwrap_or(u32::MAX)
    };
    words > 0 && edits.chunk_by(|one, next| one.at == next.at).any(|event| words_of(event) >= words)
}

/// Whether there are so many keys and none was taken back. Keys that a phone puts in together count once.
fn are_flawless(edits: &[Edit], keys: u32) -> bool {
    let count = u32::try_from(edits.len()).unwrap_or(u32::MAX);
    keys > 0 && count >= keys && edits.iter().all(|edit| edit.del == 0)
}

/// The standard deviation of the intervals between keys, as a share of their mean; `None` if there are too few.
fn variation(edits: &[Edit]) -> Option<f64> {
    let times = edits.iter().map(|edit| edit.at);
    let intervals = times.clone().zip(times.skip(1)).map(|(one, next)| next.saturating_sub(one));
    let intervals: Vec<_> = intervals.filter(|it| *it <= PAUSE).map(f64::from).collect();
    let count = u32::try_from(intervals.len()).map_or(f64::from(u32::MAX), f64::from);
    let mean = intervals.iter().sum::<f64>() / count;
    let square = |it: &f64| (it - mean) * (it - mean);
    let variance = intervals.iter().map(square).sum::<f64>() / count;
    (intervals.len() >= INTERVALS && mean > 0.0).then(|| variance.sqrt() / mean)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "philosophy remain environment window keyboard letter around simple";

    fn figures(wpm_raw: f64) -> Figures {
        Figures { wpm: wpm_raw, wpm_raw, acc: 100.0 }
    }

    /// Types the text with these intervals.
    fn typed(intervals: impl IntoIterator<Item = u32>) -> Vec<Edit> {
        let mut at = 0;
        let key = |(since, letter): (u32, char)| {
            at += since;
            Edit { at, ins: letter.into(), ..Edit::default() }
        };
        intervals.into_iter().zip(TEXT.chars()).map(key).collect()
    }

    fn found(edits: &[Edit]) -> Vec<Signal> {
        signals(edits, &figures(90.0), &Thresholds::default())
    }

    #[test]
    fn a_program_that_types_evenly_is_found_also_with_some_jitter() {
        assert_eq!(found(&typed(std::iter::repeat(120))), [Signal::TooEven]);
        // Uniform jitter of 15 percent.
        let jitter = (0..).map(|number| 102 + (number * 7) % 37);
        assert_eq!(found(&typed(jitter)), [Signal::TooEven]);
        // Pauses between words do not hide it.
        let pauses = TEXT.chars().map(|letter| if letter == ' ' { 1_500 } else { 100 });
        assert_eq!(found(&typed(pauses)), [Signal::TooEven]);
    }

    #[test]
    fn words_that_come_at_once_are_found_but_not_those_of_a_phone() {
        let at_once = |parts: &[&str]| {
            let event = |(at, part): (u32, &&str)| Edit {
                at: at * 700,
                ins: (*part).into(),
                ..Edit::default()
            };
            (1..).zip(parts).map(event).collect::<Vec<_>>()
        };
        assert_eq!(found(&at_once(&[TEXT])), [Signal::Pasted]);
        assert_eq!(found(&at_once(&["philosophy ", "remain ", "environment "])), []);
        let cut: Vec<_> = at_once(&["phi", "losophy remain", " environment"]);
        let cut: Vec<_> = cut.into_iter().map(|edit| Edit { at: 5, ..edit }).collect();
        assert_eq!(found(&cut), [Signal::Pasted], "cut into several edits");
    }

    #[test]
    fn a_speed_above_the_record_is_found() {
        let of = |wpm| signals(&[], &figures(wpm), &Thresholds::default());
        assert_eq!((of(299.0), of(301.0)), (vec![], vec![Signal::TooFast]));
        let never = Thresholds {
            words_at_once: 0,
            least_variation_percent: 0.0,
            fastest_wpm: 0.0,
            flawless_keys: 0,
            most_likeness_percent: 0.0,
        };
        assert_eq!(signals(&typed(std::iter::repeat(1)), &figures(999.0), &never), []);
    }

    proptest! {
        /// The model of a person: log-normal intervals, with a deviation of about a third of their mean.
        #[test]
        fn people_are_not_taken_for_programs(
            mean in 60.0..300.0_f64,
            deviations in prop::collection::vec((0.01..1.0_f64, 0.0..1.0_f64), 60),
        ) {
            // Box and Muller.
            let normal = |(one, other): (f64, f64)| {
                (-2.0 * f64::ln(one)).sqrt() * (std::f64::consts::TAU * other).cos()
            };
            let intervals = deviations.into_iter().map(|it| (mean * (0.35 * normal(it)).exp()) as u32);
            prop_assert_eq!(found(&typed(intervals)), []);
        }
    }
}
