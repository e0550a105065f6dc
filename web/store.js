// What survives a reload, per tab: `lobby`, the current lobby ({ key, gameId }), `race`, the record of
// race.js, and `invite`, the way into a lobby of friends ({ token, way }). Without storage, only a reload
// loses them. For all tabs of the browser: `past`, the speeds of earlier races ({ best, last }), `timed`, the most
// correct words in each time ({ 60: words }), `preferences`, and `race`, a copy for a tab that takes the race over.

// Races in `past`.
const PAST = 10;

const memory = new Map();

export function load(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return memory.get(name) ?? null;
  }
}

export function save(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    memory.set(name, value);
  }
}

export function forget(name) {
  memory.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {
    // Then nothing is stored.
  }
}

export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Then every race counts as the first.
  }
}

// Remember a result, and return the best one before it: a speed, or the correct words in the same time.
export function keepSpeed({ wpm }) {
  const { best = 0, last = [] } = recall('past') ?? {};
  remember('past', { best: Math.max(best, wpm), last: [wpm, ...last].slice(0, PAST) });
  return best;
}

export function keepWords({ correct_words: words, seconds }) {
  const all = recall('timed') ?? {};
  const best = all[seconds] ?? 0;
  remember('timed', { ...all, [seconds]: Math.max(best, words) });
  return best;
}
