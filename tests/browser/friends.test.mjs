// A lobby of friends, by link.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, heading, person, picture, play, server, started, typeText, wordsOf } from './helper.mjs';

test('from the link of a friend to the race in less than ten seconds', async (t) => {
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
  assert.ok(seconds < 10);

  for (const page of [ben, anna]) await typeText(page, { pause: 5 });
  await heading(ben, 'You are 1st of 2');
  await heading(anna, 'You are 2nd of 2');
});

test('the host chooses the text, and all friends see which it is', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  const link = await anna.getByLabel('Send this link to your friends').inputValue();
  const ben = await person(t, chrome, link);
  await ben.getByRole('button', { name: 'Join' }).click();
  await ben.getByText('Text: default length.').waitFor();
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

test('a lobby of friends begins by itself when it is full', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__PLAYER_LIMIT: '2' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  const link = await anna.getByLabel('Send this link to your friends').inputValue();
  await anna.getByText(/This link works on this computer only|It works for everyone on the same network/).waitFor();
  const ben = await person(t, chrome, link);
  await ben.getByRole('button', { name: 'Join' }).click();
  await Promise.all([started(anna), started(ben)]);
});

test('a friend who comes late hears where the others are, and joins at once with a name', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  const link = await anna.getByLabel('Send this link to your friends').inputValue();
  await anna.getByRole('button', { name: 'Start now' }).click();
  await started(anna);
  const ben = await person(t, chrome, address);
  await play(ben, 'Ben');
  await ben.goto(link);
  await ben.getByText('No one else is here yet.').waitFor();
  assert.equal(await anna.getByText('No one else is here yet').count(), 0);
});

test('a link that was cut off says so', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/join/abc`);
  await heading(anna, 'This link is incomplete');
});
