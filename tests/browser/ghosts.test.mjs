// Ghosts: one's best race, or any replay, as an opponent.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, finished, heading, person, picture, server, started, typeText, until, wordsOf } from './helper.mjs';

const ghost = (page) => page.locator('.standings li', { hasText: 'ghost of' });
const percent = (page) => ghost(page).locator('.state').textContent().then((text) => Number.parseInt(text, 10));

test('a player races the own best, and anyone the replay', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/solo`);
  await started(anna);
  const text = await wordsOf(anna);
  await typeText(anna, { pause: 60 });
  await finished(anna);
  await anna.getByRole('button', { name: 'Race your best' }).click();
  await started(anna);
  assert.equal(await wordsOf(anna), text);
  await until(async () => (await percent(anna)) > 10, 'the ghost types');
  await anna.locator('.caret .label', { hasText: 'ghost of' }).waitFor();
  assert.equal(await ghost(anna).getByText('bot', { exact: true }).count(), 0);
  await picture(anna, 'ghost');
  await typeText(anna, { pause: 60 });
  await finished(anna);
  await heading(anna, /You beat the ghost|The ghost was faster/);
  await ghost(anna).waitFor();
  await picture(anna, 'ghost-result');
  await anna.getByRole('link', { name: 'Watch the replay' }).click();
  await heading(anna, 'Replay');

  // Someone with the link to the replay.
  const zoe = await person(t, chrome, anna.url());
  await zoe.getByRole('button', { name: 'Race this replay', exact: true }).click();
  await started(zoe);
  assert.equal(await wordsOf(zoe), text);
  await ghost(zoe).waitFor();
});
