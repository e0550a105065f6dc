// Statistics of a race, per second and per word. Pure.
//
// A sample is { at, right, all, slips, rivals }: seconds since START, the letters and wrong keystrokes until then,
// and the letters of each other player by id.

const LETTERS_PER_WORD = 5;

// Seconds that a speed is averaged over: a single one shows the rhythm of the fingers rather than the speed.
const WINDOW = 2;

const speed = (letters, seconds) => (seconds > 0 ? (letters / LETTERS_PER_WORD / seconds) * 60 : 0);

// The speed at each sample, [[at, wpm], …], from the letters that `letters(sample)` returns.
export function speeds(samples, letters) {
  return samples.map((sample, index) => {
    const before = samples[index - WINDOW];
    return [sample.at, Math.max(0, speed(letters(sample) - (before ? letters(before) : 0), sample.at - (before?.at ?? 0)))];
  });
}

// The seconds with wrong keys.
export const slipsAt = (samples) =>
  samples.filter((sample, index) => sample.slips > (samples[index - 1]?.slips ?? 0)).map(({ at }) => at);

// Consistency of the speed, in percent: 100 is perfectly even. From the coefficient of variation of the raw
// speed per second, by the formula common to typing sites (Kogasa, as in Monkeytype). Null for a race that is
// too short.
export function consistency(samples) {
  const each = samples.map((sample, index) => {
    const before = samples[index - 1];
    return speed(sample.all - (before?.all ?? 0), sample.at - (before?.at ?? 0));
  });
  if (each.length < 4) return null;
  const mean = each.reduce((sum, it) => sum + it, 0) / each.length;
  if (mean === 0) return null;
  const variance = each.reduce((sum, it) => sum + (it - mean) ** 2, 0) / each.length;
  const cov = Math.sqrt(variance) / mean;
  return 100 * (1 - Math.tanh(cov + cov ** 3 / 3 + cov ** 5 / 5));
}

// The slowest words for their length, slowest first: [{ word, wpm }]. `ends[i]` is the second at which word i
// was finished.
export function slowest(words, ends, most = 3) {
  const timed = words.map((word, index) => {
    const took = ends[index] - (index === 0 ? 0 : ends[index - 1]);
    return { word, wpm: took > 0 ? speed(word.length + 1, took) : Infinity };
  });
  // Without the first word, which includes the reaction to START, and without very short words.
  const telling = timed.slice(1).filter(({ word, wpm }) => word.length > 2 && Number.isFinite(wpm));
  return telling.sort((a, b) => a.wpm - b.wpm).slice(0, most);
}
