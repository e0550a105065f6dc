// A recorded race as a film: what each player had typed at each moment. Pure.

import { begin, edit, figures, lettersAt, position, speedAt } from '/web/typing.js';

// A longer interval is a pause, and says nothing of the key.
const PAUSE = 1_000;

// The shots of a player: `{ at, state }`, in the order of their times; the first is before the first key. The letters of a player
// whose client sent positions are not known: they are shown as typed correctly.
export function shotsOf(words, lines, { edits = [], positions = [] }) {
  const shots = [{ at: 0, state: begin(words, lines) }];
  for (const it of edits) shots.push({ at: it.at, state: edit(shots.at(-1).state, it) });
  for (const { at, ...where } of positions) shots.push({ at, state: reached(shots[0].state, where) });
  return shots;
}

function reached(state, { word_index: word, char_index: char }) {
  const part = state.words[word].slice(0, char + 1).padEnd(char + 1, '·');
  return { ...state, typed: [...state.words.slice(0, word), part] };
}

// The shot of a moment.
export function shotAt(shots, at) {
  let [first, last] = [0, shots.length - 1];
  while (first < last) {
    const middle = Math.ceil((first + last) / 2);
    if (shots[middle].at <= at) first = middle;
    else last = middle - 1;
  }
  return shots[first];
}

// What a player had reached at a moment, and how fast: { position, state, wpm, part, isDone }.
export function sceneOf(words, { shots, isExact, seconds }, at) {
  const { state } = shotAt(shots, at);
  const end = shots.at(-1).at;
  const time = Math.min(at, seconds ? seconds * 1000 : end) / 1000;
  const where = position(state);
  const wpm = isExact && time > 0 ? figures(state, time).wpm : (speedAt(words, where, time) ?? 0);
  const total = words.join(' ').length;
  const part = total === 0 ? 0 : Math.min(1, lettersAt(words, where) / total);
  return { position: where, state, wpm, part, isDone: at >= end };
}

// The words that took longest per letter, from the end of the one before: [{ word, wpm }]. The first word, which has the reaction to
// START, does not count.
export function slowestWords(words, shots, count = 5) {
  const ends = [];
  for (const { at, state } of shots) {
    const over = state.typed.length - 1;
    while (ends.length < over) ends.push(at);
    // A player who goes back into a word types it until its end comes again.
    ends.length = Math.min(ends.length, over);
  }
  const last = shots.at(-1);
  if (last.state.typed.length === words.length) ends.push(last.at);
  const speed = (word) => ((words[word].length + 1) / 5 / (ends[word] - ends[word - 1])) * 60_000;
  const timed = ends.map((_, word) => word).filter((word) => word > 0 && ends[word] > ends[word - 1]);
  return timed
    .map((word) => ({ word: words[word], wpm: speed(word) }))
    .sort((a, b) => a.wpm - b.wpm)
    .slice(0, count);
}

// What a player's edits say of each key that the text asked for: { key, count, wrong, ms }, the slowest first. `ms` is the mean time
// since the key before it; null if there is none.
export function heatOf(words, shots) {
  const keys = new Map();
  for (let index = 1; index < shots.length; index += 1) {
    const [before, { at, state }] = [shots[index - 1], shots[index]];
    const pressed = state.keys - before.state.keys;
    // Several at once are the suggestion of a phone, and no key is a deletion.
    if (pressed !== 1) continue;
    const typed = before.state.typed;
    const key = (words[typed.length - 1]?.[typed.at(-1).length] ?? ' ').toLowerCase();
    const known = keys.get(key) ?? { key, count: 0, wrong: 0, timed: 0, time: 0 };
    const since = at - before.at;
    known.count += 1;
    known.wrong += state.right > before.state.right ? 0 : 1;
    // The first key has the reaction to START.
    if (index > 1 && since <= PAUSE) {
      known.timed += 1;
      known.time += since;
    }
    keys.set(key, known);
  }
  const heat = [...keys.values()].map(({ key, count, wrong, timed, time }) => ({ key, count, wrong, ms: timed > 0 ? time / timed : null }));
  return heat.sort((a, b) => (b.ms ?? 0) - (a.ms ?? 0) || (a.key < b.key ? -1 : 1));
}
