// The pure parts: statistics of a race, and the places of the names at carets.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { consistency, slipsAt, slowest, speeds } from '../../web/pace.js';
import { sideBySide } from '../../web/text.js';

// A sample a second, each with so many letters more.
function samples(...letters) {
  let sum = 0;
  return letters.map((more, index) => {
    sum += more;
    return { at: index + 1, right: sum, all: sum, slips: 0, rivals: {} };
  });
}

test('the speed is that of the last two seconds, not of the race so far', () => {
  const points = speeds(samples(5, 5, 10, 10, 0, 0), (sample) => sample.right);
  // 5 letters in a second are 60 words per minute.
  assert.deepEqual(points, [[1, 60], [2, 60], [3, 90], [4, 120], [5, 60], [6, 0]]);
});

test('deleted letters are no negative speed', () => {
  const points = speeds(samples(5, 5, -5, -5), (sample) => sample.right);
  assert.ok(points.every(([, wpm]) => wpm >= 0));
});

test('the seconds of wrong keys are marked', () => {
  const all = samples(5, 5, 5, 5).map((sample, index) => ({ ...sample, slips: [0, 2, 2, 3][index] }));
  assert.deepEqual(slipsAt(all), [2, 4]);
});

test('an even speed is consistent, an uneven one is not, and a short race has no consistency', () => {
  assert.equal(consistency(samples(5, 5, 5, 5)), 100);
  assert.ok(consistency(samples(10, 0, 10, 0)) < 40);
  assert.equal(consistency(samples(5, 5)), null);
  assert.equal(consistency(samples(0, 0, 0, 0)), null);
});

test('the slowest words are those that took long for their length', () => {
  const words = ['start', 'quick', 'philosophy', 'a', 'end'];
  assert.deepEqual(
    slowest(words, [9, 10, 14, 18, 18.5]).map(({ word }) => word),
    ['philosophy', 'quick', 'end'],
  );
});

test('names stand side by side, as near to their carets as they fit', () => {
  assert.deepEqual(sideBySide([0, 200], [50, 50], 400), [0, 200]);
  assert.deepEqual(sideBySide([100, 100, 100], [50, 60, 70], 400), [100, 150, 210]);
  assert.deepEqual(sideBySide([380, 390], [50, 50], 400), [300, 350]);
});
