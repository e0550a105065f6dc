//! How a bot types a text: every stroke from START to the last letter.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::game::{Figures, UserId};
use crate::handlers::shared::{BOT, Stroke};

/// Words per minute that a bot can have.
pub(super) const SPEEDS: RangeInclusive<u32> = 5..=250;

/// Characters per word, wherever words per minute are computed.
const WORD: f64 = 5.0;

/// One letter in this many is mistyped, then corrected.
const LETTERS_PER_MISTAKE: f64 = 28.0;

/// The id of a bot of this speed. It determines how the bot types.
pub(super) fn id(wpm: u32, chance: u64) -> UserId {
    UserId::from(format!("{BOT}{wpm}-{chance:016x}").as_str())
}

/// How a bot types a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    strokes: Vec<Stroke>,
    figures: Figures,
}

impl Plan {
    /// The plan of a bot for a text: the same on every pod.
    pub(super) fn of(bot: &UserId, words: &str) -> Self {
        let (speed, mut chance) = character(bot);
        let mut typing = TypingPlan::default();
        for (index, word) in words.split_whitespace().enumerate() {
            typing.word(index, word.chars().count(), &mut chance);
        }
        // A text is never empty; if it were, the race would be over at once.
        let letters = words.split_whitespace().map(|word| word.chars().count()).sum::<usize>();
        let blanks = words.split_whitespace().count().saturating_sub(1);
        let minutes = (letters + blanks) as f64 / WORD / speed;
        typing.over(minutes * 60.0, speed)
    }

    /// All strokes, in order of time.
    #[cfg(test)]
    pub(super) fn strokes(&self) -> &[Stroke] {
        &self.strokes
    }

    /// The same, without the plan.
    pub(super) fn into_strokes(self) -> Vec<Stroke> {
        self.strokes
    }

    /// Number of words typed so long after START.
    pub(super) fn words_after(&self, elapsed: Duration) -> u32 {
        let until = self.strokes.partition_point(|stroke| stroke.after <= elapsed);
        match self.strokes.get(until) {
            // The word of the next stroke is not finished yet.
            Some(next) => next.word_index,
            None => self.strokes.last().map_or(0, |last| last.word_index + 1),
        }
    }

    /// Time from START to the last letter.
    pub(super) fn duration(&self) -> Duration {
        self.strokes.last().map_or(Duration::ZERO, |stroke| stroke.after)
    }

    /// The figures that a person who had typed like this would claim.
    pub(super) fn figures(&self) -> Figures {
        self.figures
    }
}

/// The speed in words per minute, and the random numbers, that an id stands for.
fn character(bot: &UserId) -> (f64, Chance) {
    let mut parts = bot.as_str().split('-').skip(1);
    let wpm = parts.next().and_then(|wpm| wpm.parse().ok()).filter(|wpm| SPEEDS.contains(wpm));
    let chance = parts.next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
    (wpm.unwrap_or(40).into(), Chance(chance.unwrap_or_default()))
}

/// Strokes with their weights: the share of the total time that each takes.
#[derive(Default)]
struct TypingPlan {
    strokes: Vec<(u32, i32, f64)>,
    mistakes: usize,
}

impl TypingPlan {
    fn word(&mut self, index: usize, length: usize, chance: &mut Chance) {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        if index > 0 {
            // The blank before the word takes longer: the next word has to be read.
            self.strokes.push((index, -1, 1.3 * chance.rhythm()));
        }
        for letter in 0..i32::try_from(length).unwrap_or(i32::MAX) {
            if chance.part() * LETTERS_PER_MISTAKE < 1.0 {
                self.mistakes += 1;
                self.strokes.push((index, letter, chance.rhythm()));
                // A mistake takes a while to be noticed.
                self.strokes.push((index, letter - 1, 2.2 * chance.rhythm()));
            }
            self.strokes.push((index, letter, chance.rhythm()));
        }
    }

    /// Spreads the strokes over a time.
    fn over(self, seconds: f64, speed: f64) -> Plan {
        let all: f64 = self.strokes.iter().map(|(_, _, weight)| weight).sum();
        let mut passed = 0.0;
        let stroke = |(word_index, char_index, weight): &(u32, i32, f64)| {
            passed += weight;
            let after = Duration::from_secs_f64(passed / all * seconds);
            Stroke { after, word_index: *word_index, char_index: *char_index }
        };
        let strokes: Vec<_> = self.strokes.iter().map(stroke).collect();
        // A mistake is a wrong stroke and a correction; corrections count in no figure.
        let typed = strokes.len() - self.mistakes;
        let right = typed - self.mistakes;
        let part = if typed > 0 { right as f64 / typed as f64 } else { 1.0 };
        Plan { strokes, figures: Figures { wpm: speed, wpm_raw: speed, acc: part * 100.0 } }
    }
}

/// Random numbers that are the same on every pod: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Chance(u64);

impl Chance {
    /// Uniform between 0 and 1.
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64 // an f64 holds 53 bits exactly
    }

    /// The relative duration of a stroke: mostly near 1, sometimes much longer. The logarithm of human intervals is
    /// roughly normal.
    fn rhythm(&mut self) -> f64 {
        let normal = (0..6).map(|_| self.part()).sum::<f64>() - 3.0;
        (0.5 * normal).exp()
    }
}
