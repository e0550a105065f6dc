// What costs players no time, and no race: bots at once, ready players, the way back, the rematch.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  browser, finished, heading, person, picture, play, server, started, typeText, until,
} from './helper.mjs';

const LONG = { TP_GAME__LOBBY_COUNTDOWN: '30', TP_GAME__START_COUNTDOWN: '30', TP_GAME__SINGLE_COUNTDOWN: '1' };

test('a lonely player races bots three seconds after the click', async (t) => {
  const settings = { TP_HANDLERS__BOTS__ENABLED: 'true', TP_GAME__LOBBY_COUNTDOWN: '5', TP_GAME__START_COUNTDOWN: '5' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, address);
  const before = Date.now();
  await play(anna, 'Anna');
  await started(anna);
  const seconds = (Date.now() - before) / 1000;
  t.diagnostic(`from the click to START: ${seconds.toFixed(1)} s`);
  // The server's two seconds of countdown, one of the lobby, and the page.
  assert.ok(seconds < 5);
  assert.ok((await anna.locator('.standings li', { hasText: 'bot' }).count()) >= 2);
});

test('a lobby whose players are all ready does not wait for the countdown', async (t) => {
  const [address, chrome] = [await server(t, LONG), await browser(t)];
  const [anna, ben] = await Promise.all([person(t, chrome, address), person(t, chrome, address)]);
  await play(anna, 'Anna');
  await anna.getByText('No one else is here yet').waitFor();
  assert.equal(await anna.locator('.seats span').count(), 4);
  await play(ben, 'Ben');
  await anna.getByText('Ben', { exact: true }).waitFor();
  await anna.getByText('or as soon as everyone is ready').waitFor();
  await anna.getByRole('button', { name: "I'm ready" }).click();
  await ben.locator('.people li', { hasText: 'Anna' }).locator('.ready').waitFor();
  await picture(ben, 'lobby-ready');
  // Enter out of habit, just after the page has come, does not count.
  await ben.waitForTimeout(1_100);
  await ben.keyboard.press('Enter');
  await Promise.all([started(anna), started(ben)]);
});

test('a closed tab costs no race: any new one finds it, with all that was typed', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__WORD_COUNT: '12' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await typeText(anna, { to: 4 });
  const tab = await anna.context().newPage();
  await anna.close({ runBeforeUnload: true });
  await tab.goto(address);
  await tab.getByText('Your race is still running.').waitFor();
  await picture(tab, 'home-way-back');
  await tab.getByRole('link', { name: 'Back to the race' }).click();
  await started(tab);
  await until(async () => (await tab.locator('.word:has(.right)').count()) === 4, 'four words are there');
  // Another browser of the same player knows the race, too.
  const other = await chrome.newContext({ storageState: await tab.context().storageState() });
  const phone = await other.newPage();
  await phone.goto(`${address}/#/race`);
  await started(phone);
  await other.close();
  await typeText(tab, { from: 4 });
  await finished(tab);
  await heading(tab, 'Finished');
  await tab.goto(address);
  await heading(tab, 'Race others at typing');
  await tab.getByText('Your races').waitFor();
  assert.equal(await tab.getByText('Your race is still running.').isVisible(), false);
});

test('a rematch is told to the other players, and one key joins it', async (t) => {
  const [address, chrome] = [await server(t, LONG), await browser(t)];
  const [anna, ben] = await Promise.all([person(t, chrome, address), person(t, chrome, address)]);
  await play(anna, 'Anna');
  await play(ben, 'Ben');
  for (const page of [anna, ben]) await page.getByRole('button', { name: "I'm ready" }).click();
  await Promise.all([started(anna), started(ben)]);
  for (const page of [anna, ben]) await typeText(page, { pause: 5 });
  await Promise.all([finished(anna), finished(ben)]);
  await anna.locator('.keys', { hasText: 'Again with the same people' }).waitFor();
  await anna.waitForTimeout(1_100);
  await anna.keyboard.press('Shift+Enter');
  await anna.getByText('The others can join with the same button').waitFor();
  await ben.getByText('Anna wants a rematch.').waitFor();
  await picture(ben, 'rematch');
  await ben.getByRole('button', { name: 'Join' }).click();
  await ben.locator('.people li', { hasText: 'Anna' }).waitFor();
  for (const page of [ben, anna]) {
    await page.waitForTimeout(1_100);
    await page.keyboard.press('Enter');
  }
  await Promise.all([started(anna), started(ben)]);
});

test('a win is not a win behind a bot', async (t) => {
  const settings = { ...LONG, TP_HANDLERS__BOTS__ENABLED: 'true', TP_HANDLERS__BOTS__SLOWEST: '250', TP_HANDLERS__BOTS__FASTEST: '250', TP_GAME__WORD_COUNT: '4' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const [anna, ben] = await Promise.all([person(t, chrome, address), person(t, chrome, address)]);
  // Ben is about in a lobby of his own: so Anna is not alone on the server.
  await ben.getByRole('button', { name: 'Play with friends' }).click();
  await ben.getByRole('button', { name: 'Start now' }).waitFor();
  await play(anna, 'Anna');
  await anna.getByRole('button', { name: "I'm ready" }).waitFor();
  await ben.getByRole('button', { name: 'Leave' }).click();
  await play(ben, 'Ben');
  for (const page of [anna, ben]) await page.getByRole('button', { name: "I'm ready" }).click();
  await Promise.all([started(anna), started(ben)]);
  const bots = anna.locator('.standings li', { hasText: 'bot' });
  await until(async () => /done/.test((await bots.allTextContents()).join()), 'a bot is through');
  await typeText(anna);
  await heading(anna, /You are 1st of 2, behind 1 bot/);
});
