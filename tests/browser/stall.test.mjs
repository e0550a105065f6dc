// A network that stalls at the end of a race, and keystrokes that never reach the server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import {
  PATIENT, beReady, browser, figure, finished, heading, person, play, server, started, stallable, typeText,
} from './helper.mjs';

for (const seconds of [2, 4, 8]) {
  test(`keys and result that a stall of ${seconds} s delivers together are ranked`, async (t) => {
    const [address, chrome] = [await server(t), await browser(t)];
    const way = await stallable(t, address);
    const anna = await person(t, chrome, way.address);
    await anna.getByRole('button', { name: 'Practice alone' }).click();
    await started(anna);
    await typeText(anna, { to: 6, pause: 60 });
    way.stall();
    await typeText(anna, { from: 6, pause: 60 });
    await finished(anna);
    await anna.getByText('Sending your result…').waitFor();
    await delay(seconds * 1_000);
    way.open();
    await anna.getByText('Sending your result…').waitFor({ state: 'hidden' });
    await heading(anna, 'Finished');
    assert.equal(await anna.getByText(/^Not ranked/).count(), 0);
    const [row] = await rowsOf(anna);
    assert.deepEqual([row.rank, row.unranked], [1, undefined]);
    assert.equal(Number(await figure(anna, 'WPM')).toFixed(1), row.wpm.toFixed(1), 'the figures of the server');
  });
}

test('a stall shows after three seconds, in the lobby, the countdown and the race', async (t) => {
  const [address, chrome] = [await server(t, { ...PATIENT, TP_GAME__START_COUNTDOWN: '15', TP_GAME__SINGLE_COUNTDOWN: '15' }), await browser(t)];
  const way = await stallable(t, address);
  const anna = await person(t, chrome, way.address);
  const stallIn = async (words) => {
    await anna.getByText('Connected', { exact: true }).waitFor();
    way.stall();
    const before = Date.now();
    await anna.getByText(`Connection is slow. ${words}`).waitFor();
    const seconds = (Date.now() - before) / 1000;
    t.diagnostic(`${words} after ${seconds.toFixed(1)} s`);
    // Three on a machine that keeps up.
    assert.ok(seconds < 8);
    way.open();
    await anna.getByText('Connected', { exact: true }).waitFor();
  };
  await play(anna, 'Anna');
  await anna.getByRole('button', { name: "I'm ready" }).waitFor();
  await stallIn('You keep your seat.');
  await beReady(anna);
  await anna.getByText('Type each word, then a space.').waitFor();
  await stallIn('You keep your seat.');
  await started(anna);
  await stallIn('Keep typing, nothing is lost.');
});

test('a result without keystrokes is not ranked, and the page says why', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.addInitScript(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      if (!/KEY_STOKE|EDITS/.test(String(data))) send.call(this, data);
    };
  });
  await anna.reload();
  await anna.getByRole('button', { name: 'Practice alone' }).click();
  await started(anna);
  await typeText(anna);
  await finished(anna);
  await anna.getByText(/^Not ranked: hardly any of your keystrokes reached the server/).waitFor();
  const [row] = await rowsOf(anna);
  assert.deepEqual([row.rank, row.unranked], [99_999, 'KEYSTROKES_NOT_SEEN']);
});

// The rows of the result, as the server has them.
const rowsOf = (page) =>
  page.evaluate(async () => {
    const { gameId } = (await import('/web/store.js')).load('race');
    const answer = await fetch(`/api/v1/game/result?game_id=${gameId}`);
    return (await answer.json()).ranking;
  });
