// Edits: what follows from them is the same in the client and on the server (`handlers/recorder/vectors.json`, which the server's tests
// read, too), and a lost connection neither loses nor repeats one.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Edits, PROTOCOL } from '../../web/edits.js';
import { begin, between, edit, figures, goBack, type } from '../../web/typing.js';

const VECTORS = JSON.parse(readFileSync(new URL('../../handlers/recorder/vectors.json', import.meta.url)));

for (const { name, words, seconds, inputs, edits, figures: expected, done } of VECTORS) {
  test(`figures of what was typed, and of its edits: ${name}`, () => {
    let state = begin(words.split(' '));
    const made = [];
    for (const { at, value, composing } of inputs) {
      const next = value === null ? goBack(state) : type(state, value, composing);
      const change = between(state, next, composing);
      if (change) made.push({ at, ...change });
      state = next;
    }
    assert.deepEqual(made, edits);
    const time = seconds ?? (edits.at(-1)?.at ?? 0) / 1000;
    assert.deepEqual({ done: state.done, ...figures(state, time) }, { done, ...expected });
    const again = edits.reduce(edit, begin(words.split(' ')));
    assert.deepEqual({ typed: again.typed, keys: again.keys, right: again.right }, { typed: state.typed, keys: state.keys, right: state.right });
  });
}

// A server that takes edits, or refuses all while it is away.
function link() {
  const it = { isUp: true, frames: [], known: [] };
  it.edits = new Edits([], (frame) => {
    if (!it.isUp) return false;
    it.frames.push(frame);
    if (frame.seq <= it.known.length) it.known.push(...frame.edits.slice(it.known.length - frame.seq));
    return true;
  });
  it.connect = () => {
    it.edits.connect(PROTOCOL);
    it.edits.acknowledge({ seq: it.known.length, again: true });
  };
  return it;
}

const letter = (index) => ({ ins: 'abc'[index % 3] });

test('the server has every edit once, whatever becomes of the connection', () => {
  const it = link();
  it.connect();
  for (let index = 0; index < 300; index += 1) {
    it.edits.add(index * 10, letter(index));
    if (index % 40 === 20) it.isUp = false;
    if (index % 40 === 30) {
      // What was on its way is lost.
      it.known.length = Math.max(0, it.known.length - 3);
      it.isUp = true;
      it.connect();
    }
    it.edits.flush();
  }
  it.connect();
  assert.deepEqual(it.known, it.edits.list);
});

test('edits wait until the server has told what it has', () => {
  const it = link();
  it.edits.add(5, letter(0));
  it.edits.connect(PROTOCOL);
  it.edits.flush();
  assert.deepEqual([it.frames.length, it.edits.isOn, it.edits.isOff], [0, false, false]);
  it.edits.acknowledge({ seq: 0, again: true });
  assert.deepEqual(it.frames, [{ event: 'EDITS', seq: 0, edits: [{ at: 5, ins: 'a' }] }]);
  // Late, while others are on their way: nothing is sent again.
  it.edits.acknowledge({ seq: 0, again: false });
  assert.equal(it.frames.length, 1);
});

test('positions are sent to a server that takes no edits, or has those of another window', () => {
  const it = link();
  assert.equal(it.edits.isOff, true);
  it.edits.connect('');
  assert.equal(it.edits.isOff, true);
  it.edits.connect(PROTOCOL);
  it.edits.acknowledge({ seq: 3, again: true });
  assert.deepEqual([it.edits.isOn, it.edits.isOff], [false, true]);
});

test('frames stay small, whatever is inserted, and the clock does not go back', () => {
  const it = link();
  it.edits.add(100, { ins: 'x'.repeat(5_000), del: 2 });
  it.edits.add(50, { ins: '😀'.repeat(100) });
  it.connect();
  const list = it.known;
  assert.equal(list.map(({ ins }) => ins).join(''), 'x'.repeat(5_000) + '😀'.repeat(100));
  assert.ok(list.every(({ at, ins }) => at === 100 && [...ins].length <= 64));
  assert.equal(list.filter(({ del }) => del === 2).length, 1);
  for (const frame of it.frames) assert.ok(JSON.stringify(frame).length < 3_000);
});
