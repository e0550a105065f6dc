// Reloads, lost networks and restarts of the server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import {
  PATIENT, beReady, browser, figure, finished, gather, heading, hold, meet, person, play, restartable, seats, server,
  started, typeText, typedWords, until,
} from './helper.mjs';

test('a reload in mid-race continues the race', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await typeText(anna, { to: 3 });
  await delay(1_500);
  const before = await startOf(anna);
  await anna.reload();
  await started(anna);
  await typedWords(anna, 3);
  assert.ok(Math.abs((await startOf(anna)) - before) < 5, 'the clock continues');
  await typeText(anna, { from: 3 });
  await heading(anna, 'Finished');
  const seconds = (await figure(anna, 'Time')).split(':').map(Number);
  assert.ok(seconds[0] * 60 + seconds[1] >= 2, 'the time before the reload counts');
});

test('a page without the time of START learns it from the server', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  const before = await startOf(anna);
  await delay(3_000);
  await anna.evaluate(() => {
    const race = JSON.parse(sessionStorage.race);
    sessionStorage.race = JSON.stringify({ ...race, start: null });
  });
  await anna.reload();
  await started(anna);
  assert.ok(Math.abs((await startOf(anna)) - before) < 1_500, 'RESUME says when START was');
});

test('a reload in the lobby keeps the seat', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const anna = await person(t, chrome, address);
  let [closed, open] = [0, 0];
  anna.on('websocket', (socket) => {
    socket.once('framereceived', () => (open = performance.now()));
    socket.once('close', () => (closed = performance.now()));
  });
  await gather([anna], ['Anna']);
  const game = () => anna.evaluate(() => JSON.parse(sessionStorage.lobby).gameId);
  const reload = async () => {
    const before = await game();
    await anna.reload();
    await seats(anna, 1);
    return { isSame: (await game()) === before, time: open - closed };
  };
  // The server keeps the seat for a second. On a slow machine some reloads take longer.
  let last = await reload();
  for (let tries = 1; !last.isSame && last.time > 800 && tries < 20; tries += 1) last = await reload();
  assert.ok(last.isSame || last.time > 800, `a reload of ${last.time.toFixed()} ms`);
  assert.deepEqual(await anna.locator('.people li').allTextContents(), ['Annayou']);
  await beReady(anna);
  await started(anna);
});

test('a lobby that lost its network is found again', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  // Ben keeps the lobby open, however long Anna is away.
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await gather([anna, ben], ['Anna', 'Ben']);
  const { gameId } = await anna.evaluate(() => JSON.parse(sessionStorage.lobby));
  await anna.context().setOffline(true);
  await anna.getByText('Connection lost. Reconnecting…').waitFor();
  const seated = anna.waitForResponse('**/lobby/players*');
  await anna.context().setOffline(false);
  await anna.getByText('Connected', { exact: true }).waitFor();
  await seated;
  for (const page of [anna, ben]) await seats(page, 2);
  for (const page of [anna, ben]) await beReady(page);
  await Promise.all([started(anna), started(ben)]);
  assert.equal(await anna.evaluate(() => JSON.parse(sessionStorage.race).gameId), gameId);
});

test('a lobby that loses its network for longer says so, and continues with it', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const anna = await person(t, chrome, address);
  await gather([anna], ['Anna']);
  await anna.context().setOffline(true);
  await anna.locator('.loss', { hasText: 'The server is not responding.' }).waitFor();
  assert.equal(await anna.locator('.why').isVisible(), false);
  const seated = anna.waitForResponse('**/lobby/players*');
  await anna.context().setOffline(false);
  await anna.locator('.why').waitFor();
  await seated;
  await beReady(anna);
  await started(anna);
});

test('a countdown that loses its network says so, and the race starts with it', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__START_COUNTDOWN: '6' }), await browser(t)];
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

test('a player who is disconnected when the race begins finds it again', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await gather([anna, ben], ['Anna', 'Ben']);
  // The lobby closes a second later. Seats are kept for a second without a socket.
  for (const page of [anna, ben]) await beReady(page);
  await anna.context().setOffline(true);
  await started(ben);
  await anna.context().setOffline(false);
  await started(anna);
  assert.equal(await anna.locator('.standings li').count(), 2);
});

test('a player types on without a network, and others see it later', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await meet([anna, ben], ['Anna', 'Ben']);
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
  const release = await hold(anna, '**/api/v1/online');
  await anna.getByText('Connection is slow').waitFor({ timeout: 9_000 });
  release();
  await anna.getByText('Connected', { exact: true }).waitFor();
});

test('a result without a network is sent later', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await typeText(anna, { to: 4 });
  await anna.context().setOffline(true);
  // At a plausible speed: words typed offline are credited by the time that they took.
  await typeText(anna, { from: 4, pause: 60 });
  await until(() => anna.evaluate(() => JSON.parse(sessionStorage.race).claim !== null), 'Anna has finished');
  assert.equal(await anna.evaluate(() => JSON.parse(sessionStorage.race).sent), false);
  const sent = [];
  anna.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(payload)));
  await anna.context().setOffline(false);
  await until(() => anna.evaluate(() => JSON.parse(sessionStorage.race).sent), 'the result is accepted');
  await anna.locator('.standings', { hasText: '1st' }).waitFor();
  await anna.getByText('Connected', { exact: true }).waitFor();
  const frames = sent.map((payload) => JSON.parse(payload));
  assert.ok(frames.length > 0 && frames.every(({ event }) => event === 'EDITS'), 'the server checks the result against them');
  for (const [at, { seq }] of frames.entries()) {
    const before = frames.slice(0, at).reduce((count, { edits }) => count + edits.length, frames[0].seq);
    assert.equal(seq, before, 'each edit is sent once');
  }
});

test('a restart of the server in mid-race is a short wait, and the race continues', async (t) => {
  const [{ address, restart }, chrome] = [await restartable(t, PATIENT), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  let [closed, tried] = [null, null];
  anna.on('websocket', (socket) => socket.on('close', () => (closed ??= socket.url().includes('/game/') ? Date.now() : null)));
  anna.on('request', (request) => {
    if (closed !== null && request.url().includes('/game/')) tried ??= Date.now();
  });
  await meet([anna, ben], ['Anna', 'Ben']);
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

test('a race that is gone leads home, with a message', async (t) => {
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

test('a player who leaves the page can return to the race', async (t) => {
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
