//! When keys are pressed: at a fixed rate, or by the rhythms of `rhythms.txt` scaled to a speed.

use std::time::Duration;

use rand::RngExt;

/// The rhythms, one per line: a name, a colon, and the milliseconds between keys.
const RHYTHMS: &str = include_str!("../rhythms.txt");

/// Characters per word in words per minute.
pub const WORD: f64 = 5.0;

/// How players type.
#[derive(Clone, Debug)]
pub enum Typing {
    /// Evenly, at this number of keys per second.
    Fixed(f64),
    /// In a rhythm, at a speed in this range, in words per minute.
    Rhythms {
        /// The slowest player's speed.
        slowest: f64,
        /// The fastest player's speed.
        fastest: f64,
    },
}

impl Typing {
    /// Reads `60` or `40-90`, in words per minute.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub fn parse(text: &str) -> Result<Self, String> {
        let speed = |text: &str| match text.trim().parse::<f64>() {
            Ok(wpm) if (1.0..=400.0).contains(&wpm) => Ok(wpm),
            _ => Err(format!("{text:?} is no speed between 1 and 400 words per minute")),
        };
        let (slowest, fastest) = text.split_once('-').unwrap_or((text, text));
        let (slowest, fastest) = (speed(slowest)?, speed(fastest)?);
        if slowest > fastest {
            return Err("the slower speed comes first".into());
        }
        Ok(Self::Rhythms { slowest, fastest })
    }

    /// Draws a player: the rhythm, the speed within the range, and the beginning.
    pub fn typist(&self, random: &mut impl RngExt) -> Typist {
        match *self {
            Self::Fixed(rate) => {
                let interval = Duration::from_secs_f64(1.0 / rate);
                // At a random time in the interval, so that the players of a race do not press keys at the same moment.
                Typist {
                    intervals: vec![interval],
                    next: 0,
                    delay: interval.mul_f64(random.random()),
                }
            }
            Self::Rhythms { slowest, fastest } => {
                let rhythms = rhythms();
                let (_, recorded) = &rhythms[random.random_range(0..rhythms.len())];
                let wpm = slowest + (fastest - slowest) * random.random::<f64>();
                let next = random.random_range(0..recorded.len());
                // A player needs time to read the text before the first key.
                let delay = Duration::from_secs_f64(0.2 + 0.5 * random.random::<f64>());
                Typist { intervals: scaled(recorded, wpm), next, delay }
            }
        }
    }
}

/// The intervals of one player.
#[derive(Clone, Debug)]
pub struct Typist {
    intervals: Vec<Duration>,
    next: usize,
    /// Time from START to the first key.
    pub delay: Duration,
}

impl Typist {
    /// Time from this key to the next. At its end the rhythm repeats.
    pub fn interval(&mut self) -> Duration {
        let interval = self.intervals[self.next % self.intervals.len()];
        self.next = (self.next + 1) % self.intervals.len();
        interval
    }
}

/// Scales a rhythm so that its mean interval is that of the speed: bursts and pauses keep their proportions.
fn scaled(milliseconds: &[f64], wpm: f64) -> Vec<Duration> {
    let mean = milliseconds.iter().sum::<f64>() / milliseconds.len() as f64;
    let wanted = 60.0 / (wpm * WORD);
    milliseconds.iter().map(|it| Duration::from_secs_f64(it / mean * wanted)).collect()
}

fn rhythms() -> Vec<(&'static str, Vec<f64>)> {
    let lines = RHYTHMS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, intervals) = line.split_once(':').expect("a name before a colon");
            let intervals = intervals.split_whitespace();
            (name, intervals.map(|it| it.parse().expect("milliseconds")).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn a_rhythm_keeps_its_proportions_at_any_speed() {
        for (name, recorded) in rhythms() {
            assert!(recorded.len() >= 40, "{name} repeats itself too soon");
            let intervals = scaled(&recorded, 60.0);
            let mean = intervals.iter().sum::<Duration>().as_secs_f64() / intervals.len() as f64;
            assert!((mean - 0.2).abs() < 1e-6, "{name}: 60 words per minute are 5 keys a second");
            let ratio = intervals[1].as_secs_f64() / intervals[0].as_secs_f64();
            assert!((ratio - recorded[1] / recorded[0]).abs() < 1e-3, "{name}");
            let longest = recorded.iter().copied().fold(0.0, f64::max);
            let median = {
                let mut sorted = recorded.clone();
                sorted.sort_by(f64::total_cmp);
                sorted[sorted.len() / 2]
            };
            assert!(longest > 2.5 * median, "{name} has no pause");
        }
    }

    #[test]
    fn a_rhythm_repeats_and_a_fixed_rate_is_even() {
        let mut random = StdRng::seed_from_u64(1);
        let mut typist = Typing::Fixed(8.0).typist(&mut random);
        assert!(typist.delay < Duration::from_millis(125));
        assert_eq!([(); 3].map(|()| typist.interval()), [Duration::from_millis(125); 3]);
        let mut typist = Typing::parse("60").expect("a speed").typist(&mut random);
        let length = typist.intervals.len();
        let first: Vec<_> = (0..length).map(|_| typist.interval()).collect();
        let again: Vec<_> = (0..length).map(|_| typist.interval()).collect();
        assert_eq!(first, again);
    }

    #[test]
    fn speeds_are_read_and_nonsense_is_refused() {
        let Ok(Typing::Rhythms { slowest, fastest }) = Typing::parse("40-90") else { panic!() };
        assert_eq!((slowest, fastest), (40.0, 90.0));
        for nonsense in ["", "fast", "0", "90-40", "1000"] {
            assert!(Typing::parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
