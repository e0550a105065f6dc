// What was typed, and what it amounts to: the pure part of the client.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  EXTRA, begin, current, figures, goBack, mistyped, position, progress, speedAt, type, waitsForEnter,
} from '../../web/typing.js';

// Types key by key into an input that holds the current word, as the field does; ⌫ is backspace.
function keys(state, text) {
  let now = state;
  for (const key of text) {
    const word = current(now);
    if (key !== '⌫') now = type(now, word + key);
    else now = word === '' ? goBack(now) : type(now, word.slice(0, -1));
  }
  return now;
}

const typed = (words, text) => keys(begin(words.split(' ')), text);

test('a blank ends a word, and the last word needs none', () => {
  const state = typed('the cat', 'the cat');
  assert.deepEqual(state.typed, ['the', 'cat']);
  assert.equal(state.done, true);
});

test('a blank before anything was typed means nothing', () => {
  const state = typed('the cat', '  the  c');
  assert.deepEqual(state.typed, ['the', 'c']);
  assert.equal(state.keys, 5);
});

test('the race ends with the last word typed correctly, whatever the others are', () => {
  assert.equal(typed('the cat', 'x cat').done, true);
  assert.equal(typed('the cat', 'the cap').done, false);
  assert.equal(typed('the cat', 'the cap ').done, false);
  assert.equal(typed('the cat', 'the cap⌫t').done, true);
  assert.equal(typed('the cat', 'the cats').done, false);
});

test('the caret is counted as in the contract', () => {
  const positions = ['', 't', 'the', 'thee', 'the ', 'the c', 'the c⌫'].map((text) => {
    const { word_index: word, char_index: char } = position(typed('the cat', text));
    return [word, char];
  });
  assert.deepEqual(positions, [[0, -1], [0, 0], [0, 2], [0, 3], [1, -1], [1, 0], [1, -1]]);
});

test('the figures are those of the contract', () => {
  // Seven letters and a blank, in half a minute.
  const right = figures(typed('the word', 'the word'), 30);
  assert.deepEqual(right, { wpm: 3.2, wpm_raw: 3.2, acc: 100 });
  // The first word is wrong: its letters count for the raw speed alone.
  const wrong = figures(typed('the word', 'thx word'), 30);
  assert.deepEqual(wrong, { wpm: 2, wpm_raw: 3.2, acc: 87.5 });
});

test('a mistake that was put right costs accuracy alone', () => {
  const { wpm, wpm_raw: raw, acc } = figures(typed('the word', 'thx⌫e word'), 30);
  assert.deepEqual([wpm, raw], [3.2, 3.2]);
  assert.equal(acc, (8 / 9) * 100);
});

test('before anything was typed there is no speed, and no mistake', () => {
  assert.deepEqual(figures(begin(['the']), 0), { wpm: 0, wpm_raw: 0, acc: 100 });
});

test('a word that is begun counts while its beginning is right', () => {
  assert.equal(figures(typed('the word', 'the wo'), 60).wpm, 6 / 5);
  assert.equal(figures(typed('the word', 'the wx'), 60).wpm, 4 / 5);
});

test('backspace goes back into a wrong word, and not into a right one', () => {
  assert.deepEqual(typed('the cat', 'thx ⌫').typed, ['thx']);
  assert.deepEqual(typed('the cat', 'thx ⌫⌫e c').typed, ['the', 'c']);
  assert.deepEqual(typed('the cat', 'the ⌫').typed, ['the', '']);
  assert.deepEqual(typed('the cat', '⌫').typed, ['']);
});

test('only so many letters are taken beyond the end of a word', () => {
  const state = typed('a cat', 'a'.repeat(50));
  assert.equal(current(state).length, 1 + EXTRA);
});

test('mistakes are counted by word, the worst first', () => {
  const state = typed('the cat sat', 'tje⌫⌫he cxy⌫⌫at sa');
  assert.deepEqual(mistyped(state), [{ word: 'cat', count: 2 }, { word: 'the', count: 1 }]);
  assert.deepEqual(mistyped(typed('the cat', 'th cat')), [{ word: 'the', count: 1 }]);
});

test('what a keyboard of a phone puts in at once is taken apart', () => {
  const state = type(begin(['house', 'of', 'cards']), 'house of c');
  assert.deepEqual(state.typed, ['house', 'of', 'c']);
  assert.equal(state.keys, 10);
  assert.equal(state.right, 10);
});

test('a word that an input method replaces is compared with what was there', () => {
  const state = type(typed('house', 'hoi'), 'house');
  assert.equal(state.done, true);
  assert.deepEqual([state.keys, state.right], [6, 5]);
});

test('typographic apostrophes and hard blanks are what was meant', () => {
  assert.deepEqual(type(begin(["don't", 'go']), 'don’t\u00a0g').typed, ["don't", 'g']);
});

test('an accent that waits for its letter is no mistake yet', () => {
  const waiting = type(typed("don't", 'don'), 'don´', true);
  const state = type(waiting, "don't");
  assert.equal(state.done, true);
  assert.equal(state.right, state.keys);
});

test('progress runs from 0 to 1, and what is beyond a word adds nothing', () => {
  const words = ['the', 'cat'];
  const at = (word, char) => progress(words, { word_index: word, char_index: char });
  assert.equal(at(0, -1), 0);
  assert.equal(at(1, -1), 4 / 7);
  assert.equal(at(1, 2), 1);
  assert.equal(at(1, 30), 1);
});

test('the speed of others follows from their position', () => {
  assert.equal(speedAt(['the', 'cat'], { word_index: 1, char_index: 0 }, 60), 1);
  assert.equal(speedAt(['the', 'cat'], { word_index: 1, char_index: 0 }, 0), null);
  assert.equal(speedAt(['the', 'cat'], { word_index: 0, char_index: 0 }, 60), null, 'a letter says little');
});

test('a state is plain JSON, so a reload keeps it', () => {
  const state = typed('the cat', 'thx c');
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
});

test('Enter ends the last word of a line, and a blank the others', () => {
  const lines = (text) => keys(begin(['if', 'a', '{', 'b;', '}'], [3, 4]), text);
  assert.deepEqual(lines('if a {\nb;\n}').typed, ['if', 'a', '{', 'b;', '}']);
  assert.equal(lines('if a {\nb;\n}').done, true);
  const held = lines('if a { ');
  assert.deepEqual(held.typed, ['if', 'a', '{']);
  assert.equal(waitsForEnter(lines('if a {'), held, '{ '), true);
  assert.deepEqual(lines('if\na').typed, ['ifa']);
  // Each separator is one keystroke, as each letter is.
  assert.equal(lines('if a {\nb;\n}').keys, 11);
});
