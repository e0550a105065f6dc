// What a reload, a lost network and a restart leave as it was.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import {
  browser, figure, finished, heading, person, play, restartable, server, started, typeText, until,
} from './helper.mjs';

test('a reload in mid-race goes on where the race was', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await typeText(anna, { to: 3 });
  await delay(1_500);
  const before = await startOf(anna);
  await anna.reload();
  await started(anna);
  assert.equal(await anna.locator('.word:has(.right)').count(), 3);
  assert.ok(Math.abs((await startOf(anna)) - before) < 5, 'the clock goes on');
  await typeText(anna, { from: 3 });
  await heading(anna, 'Finished');
  const seconds = (await figure(anna, 'Time')).split(':').map(Number);
  assert.ok(seconds[0] * 60 + seconds[1] >= 2, 'the time before the reload counts');
});

test('a page that lost all it knew but its race hears how long ago it began', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  const before = await startOf(anna);
  await delay(1_000);
  await anna.evaluate(() => {
    const race = JSON.parse(sessionStorage.race);
    sessionStorage.race = JSON.stringify({ ...race, start: null });
  });
  await anna.reload();
  await started(anna);
  assert.ok(Math.abs((await startOf(anna)) - before) < 500, 'RESUME says when START was');
});

test('a reload in the lobby keeps the place', async (t) => {
  const settings = { TP_GAME__LOBBY_COUNTDOWN: '5' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await anna.locator('.people li').waitFor();
  const game = () => anna.evaluate(() => JSON.parse(sessionStorage.lobby).gameId);
  const before = await game();
  await anna.reload();
  await anna.locator('.people li').waitFor();
  assert.equal(await game(), before);
  assert.equal(await anna.locator('.people li').count(), 1);
  await started(anna);
});

test('a lobby that lost its network comes back to its place', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__LOBBY_COUNTDOWN: '6' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await anna.locator('.people li').waitFor();
  const { gameId } = await anna.evaluate(() => JSON.parse(sessionStorage.lobby));
  await anna.context().setOffline(true);
  await anna.getByText('Connection lost. Reconnecting…').waitFor();
  await anna.context().setOffline(false);
  await anna.getByText('Connected', { exact: true }).waitFor();
  await started(anna);
  assert.equal(await anna.evaluate(() => JSON.parse(sessionStorage.race).gameId), gameId);
});

test('a lobby that loses its network for longer says so, and goes on when it is back', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__LOBBY_COUNTDOWN: '5' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await anna.locator('.people li').waitFor();
  await anna.context().setOffline(true);
  await anna.locator('.loss', { hasText: 'The server is not responding.' }).waitFor();
  assert.equal(await anna.locator('.why').isVisible(), false);
  await anna.context().setOffline(false);
  await anna.locator('.why').waitFor();
  await started(anna);
});

test('a race whose countdown loses its network says so, and starts when it is back', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__START_COUNTDOWN: '4' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await anna.getByText('Type each word, then a space.').waitFor();
  await anna.context().setOffline(true);
  await anna.locator('.loss', { hasText: 'Reconnecting' }).waitFor();
  assert.equal(await anna.locator('.before').isVisible(), false);
  await anna.context().setOffline(false);
  await started(anna);
  assert.equal(await anna.locator('.loss').count(), 0);
});

test('a race that begins while one is away is found again', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__LOBBY_COUNTDOWN: '3' }), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await Promise.all([play(anna, 'Anna'), play(ben, 'Ben')]);
  await anna.getByText('Ben', { exact: true }).waitFor();
  // Within the second in which leaving is not announced, so that the seat is kept.
  await until(async () => (await anna.locator('.big-count').textContent()) === '1', 'the lobby closes');
  await delay(400);
  await anna.context().setOffline(true);
  await started(ben);
  await anna.context().setOffline(false);
  await started(anna);
  assert.equal(await anna.locator('.standings li').count(), 2);
});

test('one types on while the network is away, and others see it when it is back', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await Promise.all([play(anna, 'Anna'), play(ben, 'Ben')]);
  await anna.getByText('Ben', { exact: true }).waitFor();
  await Promise.all([started(anna), started(ben)]);
  await anna.context().setOffline(true);
  await anna.getByText('Connection lost. Reconnecting…').waitFor();
  await typeText(anna, { to: 4 });
  const annas = ben.getByRole('progressbar', { name: 'Progress of Anna' });
  assert.equal(await annas.evaluate((bar) => bar.value), 0);
  await anna.context().setOffline(false);
  await anna.getByText('Connected', { exact: true }).waitFor();
  await until(async () => (await annas.evaluate((bar) => bar.value)) > 0.3, 'Ben sees where Anna is');
  await typeText(anna, { from: 4 });
  await heading(anna, 'You are 1st of 2');
});

test('a connection that stalls is called slow before it is called lost', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna);
  await started(anna);
  let answer;
  const stalled = new Promise((resolve) => (answer = resolve));
  await anna.route('**/api/v1/online', async (route) => {
    await stalled;
    await route.continue();
  });
  await anna.getByText('Connection is slow').waitFor({ timeout: 5_000 });
  answer();
  await anna.getByText('Connected', { exact: true }).waitFor();
});

test('a result that finds no network is sent when there is one', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await typeText(anna, { to: 4 });
  await anna.context().setOffline(true);
  // As fast as somebody can: what was typed meanwhile is credited by the time that it took.
  await typeText(anna, { from: 4, pause: 60 });
  await until(() => anna.evaluate(() => JSON.parse(sessionStorage.race).claim !== null), 'Anna is through');
  assert.equal(await anna.evaluate(() => JSON.parse(sessionStorage.race).sent), false);
  const sent = [];
  anna.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(payload)));
  await anna.context().setOffline(false);
  await until(() => anna.evaluate(() => JSON.parse(sessionStorage.race).sent), 'the result is taken');
  await anna.locator('.standings', { hasText: '1st' }).waitFor();
  await anna.getByText('Connected', { exact: true }).waitFor();
  const strokes = sent.map((payload) => JSON.parse(payload)).map(({ event }) => event);
  assert.deepEqual(strokes, ['KEY_STOKE'], 'where one came to, once: the server judges the result by it');
});

test('a restart of the server in mid-race is a short wait, and the race goes on', async (t) => {
  const [{ address, restart }, chrome] = [await restartable(t), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await Promise.all([play(anna, 'Anna'), play(ben, 'Ben')]);
  await anna.getByText('Ben', { exact: true }).waitFor();
  let [closed, tried] = [null, null];
  anna.on('websocket', (socket) => socket.on('close', () => (closed ??= socket.url().includes('/game/') ? Date.now() : null)));
  anna.on('request', (request) => {
    if (closed !== null && request.url().includes('/game/')) tried ??= Date.now();
  });
  await Promise.all([started(anna), started(ben)]);
  await typeText(anna, { to: 3 });
  const restarting = restart();
  await anna.getByText('The server is restarting. Reconnecting…').waitFor();
  await typeText(anna, { from: 3, to: 5 });
  await restarting;
  for (const page of [anna, ben]) await page.getByText('Connected', { exact: true }).waitFor();
  assert.ok(tried - closed >= 450, `half a second at least, as the server says: ${tried - closed} ms`);
  const annas = ben.getByRole('progressbar', { name: 'Progress of Anna' });
  await until(async () => (await annas.evaluate((bar) => bar.value)) > 0.5, 'Ben sees where Anna is');
  await typeText(anna, { from: 5 });
  await heading(anna, 'You are 1st of 2');
});

test('a race that is gone leads home, with a sentence', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await anna.evaluate(() => {
    const race = JSON.parse(sessionStorage.race);
    sessionStorage.race = JSON.stringify({ ...race, gameId: 4711 });
  });
  await anna.reload();
  await anna.getByText('This race is over').waitFor();
  await heading(anna, 'Race others at typing');
});

test('who leaves for another page may come back to the race', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await anna.getByRole('link', { name: 'typephoon' }).click();
  await anna.getByRole('link', { name: 'Back to the race' }).click();
  await started(anna);
  await typeText(anna);
  await finished(anna);
});

const startOf = (page) => page.evaluate(() => JSON.parse(sessionStorage.race).start);
