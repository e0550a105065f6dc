// A lobby of friends, by link.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { browser, heading, hold, person, picture, play, server, started, typeText, wordsOf } from './helper.mjs';

test('a link leads friends into a race within seconds', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByLabel('Your name').fill('Anna');
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  const link = await anna.getByLabel('Send this link to your friends').inputValue();
  assert.match(link, /#\/join\/[a-z0-9]+$/);
  await anna.getByRole('button', { name: 'Copy' }).click();
  await anna.getByText('Copied.').waitFor();

  const before = Date.now();
  const ben = await person(t, chrome, link);
  await ben.getByLabel('Your name').waitFor();
  await ben.keyboard.type('Ben');
  await ben.keyboard.press('Enter');
  await anna.getByText('Ben', { exact: true }).waitFor();
  await ben.getByText(/when Anna starts it/).waitFor();
  assert.equal(await ben.getByRole('button', { name: 'Start now' }).count(), 0);
  await picture(anna, 'lobby-of-friends');
  await anna.getByRole('button', { name: 'Start now' }).click();
  await Promise.all([started(anna), started(ben)]);
  const seconds = (Date.now() - before) / 1000;
  t.diagnostic(`from the link to START: ${seconds.toFixed(1)} s`);
  // About three on a fast machine. Unless the host starts the race, the lobby waits for ten minutes.
  assert.ok(seconds < 300);

  for (const page of [ben, anna]) await typeText(page, { pause: 5 });
  await heading(ben, 'You are 1st of 2');
  await heading(anna, 'You are 2nd of 2');
});

test('the host chooses the text, and all friends see the choice', async (t) => {
  const { chrome, anna, link } = await lobbyOfFriends(t);
  const ben = await joins(t, chrome, link);
  await ben.getByText('Text: the usual length.').waitFor();
  assert.equal(await ben.getByLabel('Length').count(), 0);
  await anna.getByLabel('Length').selectOption('50 words');
  await ben.getByText('Text: 50 words.').waitFor();
  await anna.getByLabel('Punctuation').check();
  await ben.getByText('Text: 50 words, with punctuation.').waitFor();
  await picture(ben, 'text-of-friends');
  await anna.getByRole('button', { name: 'Start now' }).click();
  await Promise.all([started(anna), started(ben)]);
  assert.equal((await wordsOf(ben)).split(' ').length, 50);
});

test('the host chooses by keyboard, and two quick choices both count', async (t) => {
  const { chrome, anna, link } = await lobbyOfFriends(t);
  const ben = await joins(t, chrome, link);
  await ben.getByText('Text: the usual length.').waitFor();
  const release = await hold(anna, '**/lobby/players*');
  await anna.getByLabel('Punctuation').focus();
  await anna.keyboard.press('Space');
  await anna.keyboard.press('Tab');
  await anna.keyboard.press('Space');
  await ben.getByText('Text: the usual length, with punctuation and numbers.').waitFor();
  release();
  await anna.waitForLoadState('networkidle');
  assert.ok(await anna.getByLabel('Numbers').evaluate((it) => it === document.activeElement && it.checked));
});

test('a lobby of friends starts when it is full', async (t) => {
  const { chrome, anna, link } = await lobbyOfFriends(t, { TP_GAME__PLAYER_LIMIT: '2' });
  await anna.getByText(/This link works on this computer only|It works for everyone on the same network/).waitFor();
  const ben = await joins(t, chrome, link);
  await Promise.all([started(anna), started(ben)]);
});

test('a late friend is told where the others are, and is not asked twice for a name', async (t) => {
  const { address, chrome, anna, link } = await lobbyOfFriends(t);
  await anna.getByRole('button', { name: 'Start now' }).click();
  await started(anna);
  const ben = await person(t, chrome, address);
  // The name is still on its way when the link opens, and on a slow machine the page must not give up.
  await ben.evaluate(() => (AbortSignal.timeout = () => new AbortController().signal));
  const release = await hold(ben, '**/auth/guest');
  await play(ben, 'Ben');
  await ben.goto(link);
  await ben.locator('main.page-join').waitFor();
  await delay(500);
  assert.equal(await ben.getByLabel('Your name').count(), 0);
  release();
  await ben.getByText('No one else is here yet.').waitFor();
  await ben.locator('.people li', { hasText: 'Ben' }).waitFor();
  assert.equal(await anna.getByText('No one else is here yet').count(), 0);
});

test('a link that was cut off says so', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/join/abc`);
  await heading(anna, 'This link is incomplete');
});

// The first player of such a lobby, with the link to it.
async function lobbyOfFriends(t, settings = {}) {
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  const link = await anna.getByLabel('Send this link to your friends').inputValue();
  return { address, chrome, anna, link };
}

// A friend, by the link.
async function joins(t, chrome, link) {
  const ben = await person(t, chrome, link);
  await ben.getByRole('button', { name: 'Join' }).click();
  return ben;
}
