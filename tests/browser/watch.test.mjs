// Spectators: a race is watched by its link, to the result and the replay; the host of friends can forbid it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lookAt } from './axe.mjs';
import { PATIENT, browser, finished, heading, meet, person, server, typeText, until } from './helper.mjs';

// The link that the page of a player shares, on this server.
async function linkOf(page, address) {
  await page.getByRole('button', { name: 'Share a link to watch' }).click();
  const field = page.getByLabel('Link to watch');
  await field.waitFor();
  const shared = await field.inputValue();
  assert.match(shared, /#\/watch\/\d+-[0-9a-f]+$/);
  return `${address}/${new URL(shared).hash}`;
}

const percent = (page, name) =>
  page.locator('.standings li', { hasText: name }).locator('.state').textContent().then((text) => Number.parseInt(text, 10));

test('a race is watched to its result, and its players know', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await meet([anna, ben], ['Anna', 'Ben']);
  const link = await linkOf(anna, address);
  const zoe = await person(t, chrome, link);
  await heading(zoe, 'Watching a race');
  await anna.getByText('1 is watching').waitFor();
  await ben.getByText('1 is watching').waitFor();
  // The click has not taken the focus from the text.
  await typeText(anna, { to: 4, pause: 40 });
  await until(async () => (await percent(zoe, 'Anna')) > 20, 'Anna is seen to type');
  await zoe.locator('.caret .label', { hasText: 'Anna' }).waitFor();
  assert.equal(await percent(zoe, 'Ben'), 0);
  await lookAt(zoe, 'watching');
  // A reload shows the same.
  await zoe.reload();
  await until(async () => (await percent(zoe, 'Anna')) > 20, 'Anna is seen where she is');
  await typeText(anna, { from: 4, pause: 40 });
  await finished(anna);
  await zoe.locator('.standings li', { hasText: 'Anna' }).getByText(/1st/).waitFor();
  await typeText(ben, { pause: 40 });
  await finished(ben);
  await heading(zoe, 'The race is over');
  await lookAt(zoe, 'watched');
  await zoe.getByRole('link', { name: 'Watch the replay' }).click();
  await heading(zoe, 'Replay');
  // A link to nothing says so.
  await zoe.goto(`${address}/#/watch/35-00000000000000000000`);
  await zoe.getByText('may not be watched').waitFor();
});

test('the host of friends forbids spectators, and allows them', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByLabel('Your name').fill('Anna');
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  const link = await linkOf(anna, address);
  const zoe = await person(t, chrome, link);
  await heading(zoe, 'Waiting for the race');
  await zoe.getByText('Anna').waitFor();
  await anna.getByText('1 is watching').waitFor();
  await lookAt(anna, 'watched-lobby');
  await lookAt(zoe, 'watching-lobby');
  await anna.getByLabel('Others may watch').uncheck();
  await zoe.getByText('may not be watched').waitFor();
  await anna.getByRole('button', { name: 'Share a link to watch' }).waitFor({ state: 'detached' });
  await anna.getByLabel('Others may watch').check();
  assert.equal(await linkOf(anna, address), link);
  // Esc leads home.
  await zoe.reload();
  await heading(zoe, 'Waiting for the race');
  await zoe.keyboard.press('Escape');
  await zoe.getByRole('button', { name: 'Play', exact: true }).waitFor();
});
