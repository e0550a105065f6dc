// Prints what a first visit costs, and the time from a key to the frame that shows it, in a race against bots. Run it on a
// machine that does nothing else: npm run latency

import { test } from 'node:test';

import { browser, person, play, server, started, typeText } from './helper.mjs';
import { visit } from './visit.mjs';

const VISITS = 21;

const at = (list, part) => list.toSorted((a, b) => a - b)[Math.floor(list.length * part)].toFixed(1);

test('first visit', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const visits = [];
  while (visits.length < VISITS) visits.push(await visit(chrome, address));
  const [{ bytes, requests }] = visits;
  t.diagnostic(`first visit: ${(bytes / 1024).toFixed(1)} KiB, ${requests} requests`);
  const times = visits.map(({ time }) => time);
  const [fastest, median, slow] = [0, 0.5, 0.95].map((part) => at(times, part));
  t.diagnostic(`interactive after: fastest ${fastest} ms, median ${median} ms, 95th percentile ${slow} ms, of ${VISITS} visits`);
});

test('key to frame', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__WORD_COUNT: '60' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await anna.evaluate(() => {
    const times = { frame: [], script: [] };
    window.times = times;
    const heard = ({ timeStamp }) => {
      // After all handlers of the key, and after the frame that follows.
      queueMicrotask(() => times.script.push(performance.now() - timeStamp));
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => times.frame.push(performance.now() - timeStamp);
        port2.postMessage(null);
      });
    };
    addEventListener('input', heard, true);
  });
  await typeText(anna, { pause: 60 });
  const { frame, script } = await anna.evaluate(() => window.times);
  for (const [name, list] of Object.entries({ 'key to frame': frame, 'of which the page': script })) {
    t.diagnostic(`${name}: median ${at(list, 0.5)} ms, 95th percentile ${at(list, 0.95)} ms, of ${list.length} keys`);
  }
});
