// The state of typing a text, and its figures. Pure: no page, no clock, no network. States are immutable;
// each function returns the next one. A state is plain JSON, so that it survives a reload.

// Extra letters accepted after a word's end.
export const EXTRA = 8;

const LETTERS_PER_WORD = 5;

// `lines` are the indexes of the words that begin a line, without the first.
export function begin(words, lines = []) {
  // `mistakes` counts the wrong keystrokes by index of the word.
  return { words, lines, typed: [''], keys: 0, right: 0, mistakes: {}, done: false };
}

// The next state when the input, which holds the current word, has `value`. Spaces end words, and Enter (a line feed)
// the last word of a line. `composing` means that an input method is still composing it.
export function type(state, value, composing = false) {
  const next = { ...state, typed: [...state.typed], mistakes: { ...state.mistakes } };
  const [first, ...others] = tidy(value).split(/([ \n])/);
  write(next, first, composing);
  for (let at = 0; at < others.length; at += 2) {
    if (isLast(next)) break;
    const [end, part] = others.slice(at, at + 2);
    // A space before anything was typed is ignored; so is one where the line ends, and Enter elsewhere.
    const isEnd = current(next) !== '' && isLineEnd(next) === (end === '\n');
    const before = isEnd ? '' : current(next);
    if (isEnd) endWord(next);
    write(next, before + part, composing);
  }
  next.done = isLast(next) && current(next) === next.words.at(-1);
  return next;
}

// Backspace in an empty word: goes back into the previous word, if that is wrong.
export function goBack(state) {
  const before = state.typed.length - 2;
  if (current(state) !== '' || before < 0 || state.typed[before] === state.words[before]) return state;
  return { ...state, typed: state.typed.slice(0, -1) };
}

// What changed from one state to the next, as the API takes it: characters deleted at the end of all that was typed, then
// others typed; null if nothing did.
export function between(before, after, composing = false) {
  const [old, now] = [before, after].map(({ typed }) => typed.join(' '));
  let same = 0;
  while (same < old.length && old[same] === now[same]) same += 1;
  // Not within a character.
  if (/[\ud800-\udbff]/.test(now[same - 1] ?? '') && same > 0) same -= 1;
  const [del, ins] = [old.length - same, now.slice(same)];
  if (del === 0 && ins === '') return null;
  return { ...(del > 0 && { del }), ...(ins !== '' && { ins }), ...(composing && { composing }) };
}

// The next state after an edit: `between` the other way round.
export function edit(state, { del = 0, ins = '', composing = false }) {
  const next = { ...state, typed: [...state.typed], mistakes: { ...state.mistakes } };
  for (let left = del; left > 0; left -= 1) {
    const word = current(next);
    if (word !== '') next.typed[next.typed.length - 1] = word.slice(0, -1);
    else if (next.typed.length > 1) next.typed.pop();
  }
  const [first, ...others] = ins.split(' ');
  write(next, current(next) + first, composing);
  for (const part of others) {
    endWord(next);
    write(next, part, composing);
  }
  next.done = isLast(next) && current(next) === next.words.at(-1);
  return next;
}

export const current = (state) => state.typed.at(-1);

// Whether Enter ends the current word.
export const isLineEnd = (state) => state.lines?.includes(state.typed.length) ?? false;

// Whether the input `value` tried to end the last word of a line with a space.
export const waitsForEnter = (before, after, value) =>
  isLineEnd(before) && after.typed.length === before.typed.length && / $/.test(value);

export const isLast = (state) => state.typed.length === state.words.length;

// Whether the input `value` tried to end the last word although it is wrong.
export const isHeldUp = (before, after, value) => isLast(before) && !after.done && /\s$/.test(value);

// The caret's position as in the API: -1 is before the first letter.
export function position(state) {
  return { word_index: state.typed.length - 1, char_index: current(state).length - 1 };
}

// wpm, wpm_raw and acc (in percent), as the API defines them.
export function figures(state, seconds) {
  const minutes = seconds / 60;
  const { right, all } = letters(state);
  const speed = (typed) => (minutes > 0 ? typed / LETTERS_PER_WORD / minutes : 0);
  const acc = state.keys === 0 ? 100 : (state.right / state.keys) * 100;
  return { wpm: speed(right), wpm_raw: speed(all), acc };
}

// Letters and spaces: of correct words, and in total. The current word counts as correct as long as its
// beginning is, so that the speed does not jump at each space; at the end of the race that makes no
// difference.
export function letters(state) {
  const blanks = state.typed.length - 1;
  let right = blanks;
  let all = blanks;
  state.typed.forEach((typed, index) => {
    const word = state.words[index];
    const isRight = index === blanks ? word.startsWith(typed) : typed === word;
    if (isRight) right += typed.length;
    all += typed.length;
  });
  return { right, all };
}

// Correct words, the current one included once it is complete.
export const rightWords = ({ words, typed }) => typed.filter((word, index) => word === words[index]).length;

// Wrong keystrokes so far.
export const slips = (state) => Object.values(state.mistakes).reduce((sum, times) => sum + times, 0);

// How much of the text lies before a position, from 0 to 1.
export function progress(words, { word_index: word, char_index: char }) {
  const total = words.join(' ').length;
  return total === 0 ? 0 : Math.min(1, lettersBefore(words, word, char) / total);
}

// The speed that follows from a position; null in the beginning, since the first letters after START come in
// a burst.
export function speedAt(words, position, seconds) {
  const typed = lettersAt(words, position);
  return seconds >= 2 && typed >= LETTERS_PER_WORD ? (typed / LETTERS_PER_WORD / seconds) * 60 : null;
}

// Letters and blanks before a position.
export const lettersAt = (words, { word_index: word, char_index: char }) => lettersBefore(words, word, char);

function lettersBefore(words, word, char) {
  const before = words.slice(0, word).reduce((sum, it) => sum + it.length + 1, 0);
  return before + Math.min(char + 1, words[word]?.length ?? 0);
}

// The words with mistakes, worst first: [{ word, count }].
export function mistyped(state) {
  return Object.entries(state.mistakes)
    .map(([index, count]) => ({ word: state.words[index], count }))
    .sort((a, b) => b.count - a.count);
}

// Phone keyboards insert typographic apostrophes and non-breaking spaces.
const tidy = (value) => value.replace(/[‘’]/g, "'").replace(/[^\S\n]/g, ' ').normalize('NFC');

// Sets the current word to `text`, and counts the keystrokes for it.
function write(next, text, composing) {
  const index = next.typed.length - 1;
  const word = next.words[index];
  const old = next.typed[index];
  const cut = text.slice(0, word.length + EXTRA);
  let same = 0;
  while (same < old.length && old[same] === cut[same]) same += 1;
  for (let at = same; at < cut.length; at += 1) {
    const isRight = cut[at] === word[at];
    if (isRight || !(composing && ACCENTS.includes(cut[at]))) press(next, index, isRight);
  }
  next.typed[index] = cut;
}

// A dead key shows its accent while it waits for the letter, which is not a keystroke yet.
const ACCENTS = '\'"´`^~¨';

function endWord(next) {
  const index = next.typed.length - 1;
  press(next, index, next.typed[index].length === next.words[index].length);
  next.typed.push('');
}

function press(next, index, isRight) {
  next.keys += 1;
  if (isRight) next.right += 1;
  else next.mistakes[index] = (next.mistakes[index] ?? 0) + 1;
}
