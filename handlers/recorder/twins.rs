//! Logs that are the same twice: a program that replays a race types with the intervals of an earlier one. Pure.
//!
//! An exact copy is found among all recordings, by its mark. One with a little jitter is found among the player's last recordings, by
//! how alike the intervals are.

use crate::handlers::shared::Edit;

/// Fewer intervals than this say nothing.
const FEWEST: usize = 30;

/// So many intervals, the first ones, are in a mark, which fits into a sort key. A copy may have another end.
const MARKED: usize = 40;

/// The intervals between the keys of a log, in milliseconds.
fn intervals(edits: &[Edit]) -> Vec<u32> {
    let times = edits.iter().map(|edit| edit.at);
    times.clone().zip(times.skip(1)).map(|(one, next)| next.saturating_sub(one)).collect()
}

/// What logs with the same intervals have in common, whatever their texts; `None` for short ones.
pub(super) fn mark(edits: &[Edit]) -> Option<String> {
    let intervals = intervals(edits);
    let marked = intervals.get(..MARKED.min(intervals.len())).filter(|it| it.len() >= FEWEST)?;
    let digits: Vec<_> = marked.iter().map(|it| format!("{it:x}")).collect();
    Some(digits.join("."))
}

/// How alike the intervals of two logs are: the correlation of their logarithms, at most 1; `None` for short logs. Logarithms,
/// so that a few pauses do not decide it.
pub(super) fn likeness(one: &[Edit], other: &[Edit]) -> Option<f64> {
    let (one, other) = (intervals(one), intervals(other));
    let pairs: Vec<_> = one.iter().zip(&other).map(|(one, other)| (ln(*one), ln(*other))).collect();
    if pairs.len() < FEWEST {
        return None;
    }
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    let (mean_one, mean_other) = (mean(|it| it.0), mean(|it| it.1));
    let (mut both, mut of_one, mut of_other) = (0.0, 0.0, 0.0);
    for (one, other) in &pairs {
        let (one, other) = (one - mean_one, other - mean_other);
        both += one * other;
        of_one += one * one;
        of_other += other * other;
    }
    let spread = (of_one * of_other).sqrt();
    // Intervals that are all the same are another signal.
    (spread > 1e-9).then(|| both / spread)
}

fn ln(interval: u32) -> f64 {
    f64::from(interval.max(1)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(intervals: impl IntoIterator<Item = u32>) -> Vec<Edit> {
        let times = intervals.into_iter().scan(0, |at, since| {
            *at += since;
            Some(*at)
        });
        times.map(|at| Edit { at, ins: "a".into(), ..Edit::default() }).collect()
    }

    /// Intervals without a pattern.
    fn rhythm(seed: u32) -> impl Iterator<Item = u32> {
        (1..=60_u32)
            .map(move |n| 60 + n.wrapping_mul(2_654_435_761).wrapping_add(seed * 40_503) % 97)
    }

    #[test]
    fn a_copy_has_the_same_mark_also_if_it_begins_later_or_goes_on() {
        let log = typed(rhythm(1));
        let later: Vec<_> = log.iter().map(|it| Edit { at: it.at + 700, ..it.clone() }).collect();
        let longer = typed(rhythm(1).chain([90, 90]));
        assert_eq!((mark(&log), mark(&later)), (mark(&longer), mark(&log)));
        assert_ne!(mark(&log), mark(&typed(rhythm(2))));
        assert_eq!(mark(&log[..30]), None, "too short");
    }

    #[test]
    fn a_copy_with_jitter_is_alike_and_another_log_is_not() {
        let log = typed(rhythm(1));
        let jitter = typed(rhythm(1).enumerate().map(|(n, it)| it + (n as u32 * 7) % 9));
        assert!(likeness(&log, &jitter).unwrap() > 0.97, "{:?}", likeness(&log, &jitter));
        assert!(likeness(&log, &typed(rhythm(7))).unwrap() < 0.6);
        assert_eq!(likeness(&log, &typed([100; 60])), None, "no rhythm");
        assert_eq!(likeness(&log[..20], &log), None, "too short");
    }
}
