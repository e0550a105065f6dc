// A network that stalls at the end of a race, and keystrokes that never reach the server.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { browser, figure, finished, heading, person, server, started, typeText } from './helper.mjs';

for (const seconds of [2, 4, 8]) {
  test(`keys and result that a stall of ${seconds} s delivers together are ranked`, async (t) => {
    const [address, chrome] = [await server(t), await browser(t)];
    const way = await wayTo(t, address);
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

// A proxy that can stall: data sent meanwhile arrives when it is open again.
async function wayTo(t, address) {
  const { hostname, port } = new URL(address);
  const sockets = new Set();
  let isStalled = false;
  const way = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      sockets.add(from);
      from.on('data', (data) => to.write(data));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      if (isStalled) from.pause();
    }
  });
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    way.close();
  });
  const each = (turn) => sockets.forEach(turn);
  return {
    address: `http://127.0.0.1:${way.address().port}`,
    stall: () => ((isStalled = true), each((socket) => socket.pause())),
    open: () => ((isStalled = false), each((socket) => socket.resume())),
  };
}
