//! How a bot types a text: every stroke from START to the last letter.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::game::{BOT, Figures, UserId};

/// Words per minute that a bot can have.
pub(super) const SPEEDS: RangeInclusive<u32> = 5..=250;

/// Characters per word, wherever words per minute are computed.
const WORD: f64 = 5.0;

/// One letter in so many is mistyped, and put right.
const LETTERS_PER_MISTAKE: f64 = 28.0;

/// The id of a bot of this speed. It says all that there is to know of how it types.
pub(super) fn id(wpm: u32, chance: u64) -> UserId {
    UserId::from(format!("{BOT}{wpm}-{chance:016x}").as_str())
}

/// Where the cursor stands after a stroke, and when, counted from START.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) after: Duration,
    pub(super) word_index: u32,
    pub(super) char_index: i32,
}

/// How a bot types a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    strokes: Vec<Stroke>,
    figures: Figures,
}

impl Plan {
    /// The same of the same bot and text, on every server.
    pub(super) fn of(bot: &UserId, words: &str) -> Self {
        let (speed, mut chance) = character(bot);
        let mut typing = Typing::default();
        for (index, word) in words.split_whitespace().enumerate() {
            typing.word(index, word.chars().count(), &mut chance);
        }
        // A race has words; without any, it is over at once.
        let letters = words.split_whitespace().map(|word| word.chars().count()).sum::<usize>();
        let blanks = words.split_whitespace().count().saturating_sub(1);
        let minutes = (letters + blanks) as f64 / WORD / speed;
        typing.over(minutes * 60.0, speed)
    }

    /// In the order of time.
    #[cfg(test)]
    pub(super) fn strokes(&self) -> &[Stroke] {
        &self.strokes
    }

    /// The strokes to come, and before them the last of those that have been.
    pub(super) fn strokes_from(&self, elapsed: Duration) -> &[Stroke] {
        let next = self.strokes.partition_point(|stroke| stroke.after <= elapsed);
        &self.strokes[next.saturating_sub(1)..]
    }

    /// From START to the last letter.
    pub(super) fn duration(&self) -> Duration {
        self.strokes.last().map_or(Duration::ZERO, |stroke| stroke.after)
    }

    /// What a person would claim who had typed so.
    pub(super) fn figures(&self) -> Figures {
        self.figures
    }
}

/// Speed in words per minute, and chance.
fn character(bot: &UserId) -> (f64, Chance) {
    let mut parts = bot.as_str().split('-').skip(1);
    let wpm = parts.next().and_then(|wpm| wpm.parse().ok()).filter(|wpm| SPEEDS.contains(wpm));
    let chance = parts.next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
    (wpm.unwrap_or(40).into(), Chance(chance.unwrap_or_default()))
}

/// Strokes, each with a weight: its part of the time.
#[derive(Default)]
struct Typing {
    strokes: Vec<(u32, i32, f64)>,
    mistakes: usize,
}

impl Typing {
    fn word(&mut self, index: usize, length: usize, chance: &mut Chance) {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        if index > 0 {
            // The blank before the word; the eye needs a moment for the next one.
            self.strokes.push((index, -1, 1.3 * chance.rhythm()));
        }
        for letter in 0..i32::try_from(length).unwrap_or(i32::MAX) {
            if chance.part() * LETTERS_PER_MISTAKE < 1.0 {
                self.mistakes += 1;
                self.strokes.push((index, letter, chance.rhythm()));
                // It takes a while to be noticed.
                self.strokes.push((index, letter - 1, 2.2 * chance.rhythm()));
            }
            self.strokes.push((index, letter, chance.rhythm()));
        }
    }

    /// The strokes, spread over a time.
    fn over(self, seconds: f64, speed: f64) -> Plan {
        let all: f64 = self.strokes.iter().map(|(_, _, weight)| weight).sum();
        let mut passed = 0.0;
        let stroke = |(word_index, char_index, weight): &(u32, i32, f64)| {
            passed += weight;
            let after = Duration::from_secs_f64(passed / all * seconds);
            Stroke { after, word_index: *word_index, char_index: *char_index }
        };
        let strokes: Vec<_> = self.strokes.iter().map(stroke).collect();
        // A mistake is a wrong stroke and one that takes it back; the latter counts nowhere.
        let typed = strokes.len() - self.mistakes;
        let right = typed - self.mistakes;
        let part = if typed > 0 { right as f64 / typed as f64 } else { 1.0 };
        Plan { strokes, figures: Figures { wpm: speed, wpm_raw: speed, acc: part * 100.0 } }
    }
}

/// Chance that is the same everywhere: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Chance(u64);

impl Chance {
    /// Evenly between 0 and 1.
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64 // 53 bits are what the number holds exactly
    }

    /// How long a stroke takes against the others: mostly near 1, now and then much longer, as the
    /// logarithm of human intervals is about normal.
    fn rhythm(&mut self) -> f64 {
        let normal = (0..6).map(|_| self.part()).sum::<f64>() - 3.0;
        (0.5 * normal).exp()
    }
}
