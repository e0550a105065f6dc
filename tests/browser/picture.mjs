// Makes the picture of README, docs/race.png: four people in the middle of a race, one of them in the theme *Storm*.
// `npm run picture`

import { test } from 'node:test';
import { join } from 'node:path';

import { browser, person, play, server, started, typeText } from './helper.mjs';

test('the picture of README', async (t) => {
  const settings = { TP_GAME__LOBBY_COUNTDOWN: '30', TP_GAME__PLAYER_LIMIT: '4', TP_GAME__WORD_COUNT: '25' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const look = { viewport: { width: 1000, height: 590 }, deviceScaleFactor: 2 };
  const names = ['Ada', 'Mara', 'Theo', 'Kim'];
  const all = [];
  for (const name of names) {
    const page = await person(t, chrome, address, name === 'Ada' ? look : {});
    if (name === 'Ada') {
      await page.evaluate(() => localStorage.setItem('preferences', JSON.stringify({ theme: 'storm' })));
      await page.reload();
    }
    all.push(page);
    await play(page, name);
  }
  await Promise.all(all.map(started));
  const [ada, mara, theo, kim] = all;
  const typing = [
    typeText(mara, { to: 11, pause: 115 }),
    typeText(theo, { to: 8, pause: 150 }),
    typeText(kim, { to: 10, pause: 130 }),
    typeText(ada, { to: 4, pause: 90 })
      .then(() => ada.keyboard.type('x '))
      .then(() => typeText(ada, { from: 5, to: 12, pause: 90 })),
  ];
  await Promise.all(typing);
  // The header comes back.
  await ada.mouse.move(500, 20);
  await ada.mouse.move(520, 22);
  await ada.waitForTimeout(400);
  await ada.screenshot({ path: join(import.meta.dirname, '../../docs/race.png') });
});
