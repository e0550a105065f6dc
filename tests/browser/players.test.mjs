// The players of a race and their order: the pure part.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PATIENCE, STILL, aged, merged, moved, placeOf, ranking, standing } from '../../web/players.js';

const WORDS = ['the', 'cat', 'sat'];
const row = (id, more = {}) => ({ id, name: id, finished: null, rank: 99_999, ...more });
const at = (seconds) => new Date(Date.UTC(2030, 0, 1) + seconds * 1000).toISOString();
const numbers = (players) => players.map(({ id, number }) => [id, number]);

test('known players keep number and position, and new ones come last', () => {
  const two = moved(merged([], [row('a'), row('b')], 0), 'b', { word_index: 1, char_index: 0 }, 1);
  const three = merged(two, [row('c'), row('b'), row('a')], 2);
  assert.deepEqual(numbers(three), [['a', 1], ['b', 2], ['c', 3]]);
  assert.equal(three[1].position.word_index, 1);
});

test('a player whose id changes stays the same player', () => {
  const two = moved(merged([], [row('guest-a'), row('b')], 0), 'guest-a', { word_index: 2, char_index: 0 }, 1);
  const theirs = merged(two, [row('b'), row('account')], 2);
  assert.deepEqual(numbers(theirs), [['account', 1], ['b', 2]]);
  assert.equal(theirs[0].position.word_index, 2);
  const mine = merged(two, [row('b'), row('c'), row('account')], 2, { before: 'guest-a', now: 'account' });
  assert.deepEqual(numbers(mine), [['account', 1], ['b', 2], ['c', 3]]);
});

test('a player without a row is removed', () => {
  const three = merged([], [row('a'), row('b'), row('c')], 0);
  assert.deepEqual(numbers(merged(three, [row('c'), row('a')], 1)), [['a', 1], ['c', 3]]);
});

test('a player who does not move for long is away until the next move', () => {
  const both = merged([], [row('me'), row('b')], 0);
  assert.equal(aged(both, STILL, 'me'), both);
  const still = aged(both, STILL + 1, 'me');
  assert.deepEqual(still.map(({ still: it, away }) => [it, away]), [[false, false], [true, false]]);
  const later = aged(both, PATIENCE + 1, 'me');
  assert.deepEqual(later.map(({ away }) => away), [false, true]);
  const back = moved(later, 'b', { word_index: 1, char_index: 0 }, PATIENCE + 2);
  assert.equal(back[1].away, false);
  assert.equal(placeOf(back[0], back, WORDS).place, 2);
  const gone = aged(back, 3 * PATIENCE, 'me');
  assert.equal(placeOf(gone[0], gone, WORDS).place, 1);
});

test('an unranked finish has no place, and is listed behind ranked ones', () => {
  const cheat = row('a', { finished: at(9), unranked: 'KEYSTROKES_NOT_SEEN' });
  const me = row('me', { finished: at(11), rank: 1 });
  const typing = { ...row('b'), position: { word_index: 0, char_index: 0 } };
  assert.deepEqual(placeOf(me, [cheat, me, typing], WORDS), { place: 1, of: 2, withBots: false });
  assert.deepEqual(standing([typing, cheat, me], WORDS).map(({ id }) => id), ['me', 'a', 'b']);
});

test('among people bots take no place; a player who only met bots is placed among them', () => {
  const bot = row('bot-1', { bot: true, finished: at(10) });
  const me = row('me', { finished: at(11), rank: 1 });
  const other = row('b', { finished: at(12), rank: 2 });
  assert.deepEqual(placeOf(me, [me, bot], WORDS), { place: 2, of: 2, withBots: true });
  assert.deepEqual(placeOf(me, [me, bot, other], WORDS), { place: 1, of: 2, withBots: false });
  assert.deepEqual(standing([other, me, bot], WORDS).map(({ id }) => id), ['bot-1', 'me', 'b']);
  assert.deepEqual(ranking([other, me, bot], WORDS, me).map(({ id }) => id), ['me', 'b', 'bot-1']);
  assert.deepEqual(ranking([me, bot], WORDS, me).map(({ id }) => id), ['bot-1', 'me']);
});
