// What handler modules show on the pages of the client.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, finished, meet, person, picture, server, started, typeText } from './helper.mjs';

const PATIENT = { TP_GAME__LOBBY_COUNTDOWN: '120' };

test('players react to each other in the lobby, the race and the result, and go on typing', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  const pages = [anna, ben];
  const react = (page, name) => page.getByRole('button', { name, exact: true }).click();
  const sees = (page, text) => page.locator('.emotes-shown').getByText(text).waitFor();

  await meet(pages, ['Anna', 'Ben']);
  await Promise.all(pages.map(started));
  await react(anna, 'On fire');
  await sees(ben, 'Anna');
  await sees(anna, 'Anna');
  await picture(ben, 'reaction-race');
  // The click has not taken the focus from the text.
  for (const page of pages) await typeText(page, { pause: 5 });
  await Promise.all(pages.map(finished));
  await react(ben, 'Applause');
  await sees(anna, 'Ben');
  await picture(anna, 'reaction-result');
});

test('a module that is left out shows nothing, and the pages work without it', async (t) => {
  const settings = { TP_HANDLERS__DISABLED: '["emotes"]' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/solo`);
  await started(anna);
  const listed = await anna.evaluate(() => fetch('/web/modules.json').then((answer) => answer.json()));
  assert.ok(listed.every(({ file }) => !file.includes('/emotes/')));
  assert.equal(await anna.locator('.emotes').count(), 0);
  await typeText(anna, { pause: 5 });
  await finished(anna);
});
