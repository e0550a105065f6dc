//! When keys are pressed: at a fixed rate, or by the rhythms of a file, as they are or scaled to a speed.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rand::RngExt;

/// The rhythms without `--rhythms`; they are made up.
static BUILT_IN: LazyLock<Rhythms> = LazyLock::new(|| {
    let rhythms = Rhythms::parse("rhythms.txt", include_str!("../rhythms.txt"));
    rhythms.expect("a test reads the file")
});

/// Milliseconds between two keys that a rhythm may have.
const INTERVALS: std::ops::RangeInclusive<f64> = 1.0..=60_000.0;

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
    /// In a rhythm, at its own speed.
    Recorded,
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
    pub fn typist(&self, rhythms: &Rhythms, random: &mut impl RngExt) -> Typist {
        let wpm = match *self {
            Self::Fixed(rate) => {
                let interval = Duration::from_secs_f64(1.0 / rate);
                // At a random time in the interval, so that the players of a race do not press keys at the same moment.
                let delay = interval.mul_f64(random.random());
                return Typist { intervals: vec![interval], next: 0, delay };
            }
            Self::Rhythms { slowest, fastest } => {
                Some(slowest + (fastest - slowest) * random.random::<f64>())
            }
            Self::Recorded => None,
        };
        let rhythm = &rhythms.intervals[random.random_range(0..rhythms.intervals.len())];
        let next = random.random_range(0..rhythm.len());
        // A player needs time to read the text before the first key.
        let delay = Duration::from_secs_f64(0.2 + 0.5 * random.random::<f64>());
        Typist { intervals: at_speed(rhythm, wpm), next, delay }
    }
}

/// The rhythms of a file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rhythms {
    /// The name of the file.
    pub file: String,
    /// Milliseconds between keys, of each rhythm.
    intervals: Arc<[Vec<f64>]>,
}

impl Rhythms {
    /// Those of this program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads a file, as named on the command line.
    ///
    /// # Errors
    /// One sentence with the cause, and the line.
    pub fn read(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Self::parse(path, &text)
    }

    /// Reads the text of a file: a rhythm per line, with a name, a colon, and the milliseconds between keys. Empty lines, and
    /// those that begin with `#`, are comments.
    fn parse(file: &str, text: &str) -> Result<Self, String> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let read = |(number, line)| rhythm(line).map_err(|error| format!("line {number}: {error}"));
        let intervals = lines.map(read).collect::<Result<Arc<[_]>, _>>()?;
        match intervals.is_empty() {
            true => Err("there is no rhythm in it".into()),
            false => Ok(Self { file: file.into(), intervals }),
        }
    }
}

/// Reads one line.
fn rhythm(line: &str) -> Result<Vec<f64>, String> {
    let (_, numbers) = line.split_once(':').ok_or("a name and a colon come first")?;
    let read = |text: &str| match text.parse::<f64>() {
        Ok(milliseconds) if INTERVALS.contains(&milliseconds) => Ok(milliseconds),
        _ => Err(format!("{text:?} is no number of milliseconds from 1 to 60000")),
    };
    let intervals = numbers.split_whitespace().map(read).collect::<Result<Vec<_>, _>>()?;
    if intervals.is_empty() { Err("no interval follows the name".into()) } else { Ok(intervals) }
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

/// A rhythm at a speed in words per minute, or at its own. Scaling keeps the proportions of bursts and pauses.
fn at_speed(milliseconds: &[f64], wpm: Option<f64>) -> Vec<Duration> {
    let mean = milliseconds.iter().sum::<f64>() / milliseconds.len() as f64;
    let factor = wpm.map_or(1e-3, |wpm| 60.0 / (wpm * WORD) / mean);
    milliseconds.iter().map(|it| Duration::from_secs_f64(it * factor)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn a_rhythm_keeps_its_proportions_at_any_speed() {
        for (number, recorded) in Rhythms::built_in().intervals.iter().enumerate() {
            assert!(recorded.len() >= 40, "rhythm {number} repeats itself too soon");
            let intervals = at_speed(recorded, Some(60.0));
            let mean = intervals.iter().sum::<Duration>().as_secs_f64() / intervals.len() as f64;
            assert!((mean - 0.2).abs() < 1e-6, "{number}: 60 words per minute are 5 keys a second");
            let ratio = intervals[1].as_secs_f64() / intervals[0].as_secs_f64();
            assert!((ratio - recorded[1] / recorded[0]).abs() < 1e-3, "{number}");
            let longest = recorded.iter().copied().fold(0.0, f64::max);
            let median = {
                let mut sorted = recorded.clone();
                sorted.sort_by(f64::total_cmp);
                sorted[sorted.len() / 2]
            };
            assert!(longest > 2.5 * median, "rhythm {number} has no pause");
        }
    }

    #[test]
    fn a_rhythm_repeats_and_a_fixed_rate_is_even() {
        let mut random = StdRng::seed_from_u64(1);
        let rhythms = Rhythms::built_in();
        let mut typist = Typing::Fixed(8.0).typist(rhythms, &mut random);
        assert!(typist.delay < Duration::from_millis(125));
        assert_eq!([(); 3].map(|()| typist.interval()), [Duration::from_millis(125); 3]);
        let mut typist = Typing::parse("60").expect("a speed").typist(rhythms, &mut random);
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

    #[test]
    fn a_recorded_rhythm_keeps_its_own_speed() {
        let rhythms = Rhythms::parse("a", "# of Anna\n\nanna: 120 80.5 1000\n").expect("a rhythm");
        let mut random = StdRng::seed_from_u64(1);
        let mut typist = Typing::Recorded.typist(&rhythms, &mut random);
        let mut intervals = [(); 3].map(|()| typist.interval());
        intervals.sort_unstable();
        assert_eq!(intervals.map(|it| it.as_micros()), [80_500, 120_000, 1_000_000]);
    }

    #[test]
    fn a_bad_file_of_rhythms_is_refused_with_the_line() {
        let refused = |text: &str| Rhythms::parse("a", text).expect_err(text);
        assert_eq!(refused("# nothing\n"), "there is no rhythm in it");
        assert_eq!(refused("a: 1\n\n100 200"), "line 3: a name and a colon come first");
        assert_eq!(refused("a:"), "line 1: no interval follows the name");
        for wrong in ["fast", "0", "-5", "NaN", "60001"] {
            let complaint = refused(&format!("# of Anna\na: 100 {wrong}"));
            assert!(
                complaint.starts_with(&format!("line 2: {wrong:?} is no number")),
                "{complaint}"
            );
        }
        assert!(Rhythms::read("/no/such/file").is_err());
    }
}
