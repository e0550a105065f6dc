// No needless waiting, and no lost race: bots at once, ready players, closed tabs, rematches.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  PATIENT, beReady, browser, finished, heading, meet, person, picture, play, seats, server, started, typeText,
  typedWords, until,
} from './helper.mjs';

test('a lonely player races bots three seconds after the click', async (t) => {
  const settings = { ...PATIENT, TP_HANDLERS__BOTS__ENABLED: 'true', TP_GAME__START_COUNTDOWN: '120' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, address);
  const before = Date.now();
  const countdown = anna.waitForResponse('**/game/countdown*');
  await play(anna, 'Anna');
  const { seconds_left: left } = await (await countdown).json();
  assert.ok(left <= 2, `${left} s of countdown`);
  await started(anna);
  const seconds = (Date.now() - before) / 1000;
  t.diagnostic(`from the click to START: ${seconds.toFixed(1)} s`);
  // The server waits for three seconds; a slow page takes the rest. Lobby and countdown would take four minutes.
  assert.ok(seconds < 120);
  assert.ok((await anna.locator('.standings li', { hasText: 'bot' }).count()) >= 2);
});

test('a lobby whose players are all ready does not wait for the countdown', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = await Promise.all([person(t, chrome, address), person(t, chrome, address)]);
  await play(anna, 'Anna');
  await anna.getByText('No one else is here yet').waitFor();
  assert.equal(await anna.locator('.seats span').count(), 4);
  await play(ben, 'Ben');
  await anna.getByText('Ben', { exact: true }).waitFor();
  await anna.getByText('or as soon as everyone is ready').waitFor();
  await beReady(anna);
  await ben.locator('.people li', { hasText: 'Anna' }).locator('.ready').waitFor();
  await picture(ben, 'lobby-ready');
  // Enter counts a second after the page has appeared.
  await ben.waitForTimeout(1_100);
  await ben.keyboard.press('Enter');
  await Promise.all([started(anna), started(ben)]);
});

test('a lobby without people to wait for says that the race is about to start', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = await Promise.all([person(t, chrome, address), person(t, chrome, address)]);
  // As it is for the second before a lobby with bots closes.
  await anna.route('**/lobby/players*', async (route) => {
    const json = await (await route.fetch()).json();
    json.me.ready = true;
    json.others.push({ id: 'bot-1', name: 'Bot', bot: true, ready: false });
    await route.fulfill({ json });
  });
  await play(anna, 'Anna');
  await heading(anna, 'Get ready to race');
  await play(ben, 'Ben');
  await heading(anna, 'Waiting for others');
});

test('a closed tab loses no race: a new one finds it, with all typed words', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__WORD_COUNT: '12' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  await typeText(anna, { to: 4 });
  // The copy for other tabs is saved after each word.
  await until(() => anna.evaluate(() => JSON.parse(localStorage.race ?? '{}').ends?.length === 4), 'the copy is saved');
  const tab = await anna.context().newPage();
  await anna.close({ runBeforeUnload: true });
  await tab.goto(address);
  await tab.getByText('Your race is still running.').waitFor();
  await picture(tab, 'home-way-back');
  await tab.getByRole('link', { name: 'Back to the race' }).click();
  await started(tab);
  await typedWords(tab, 4);
  // Another browser of the same player finds the race, too.
  const other = await chrome.newContext({ storageState: await tab.context().storageState() });
  const phone = await other.newPage();
  await phone.goto(`${address}/#/race`);
  await started(phone);
  await other.close();
  await typeText(tab, { from: 4 });
  await finished(tab);
  await heading(tab, 'Finished');
  const asked = tab.waitForResponse('**/game/current');
  await tab.goto(address);
  await heading(tab, 'Race others at typing');
  await tab.getByText('Your races').waitFor();
  await (await asked).finished();
  assert.equal(await tab.getByText('Your race is still running.').isVisible(), false);
});

test('a rematch is announced to the other players, who can join it', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = await Promise.all([person(t, chrome, address), person(t, chrome, address)]);
  await meet([anna, ben], ['Anna', 'Ben']);
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

test('the first person behind a bot is not shown as the winner', async (t) => {
  const bots = { TP_HANDLERS__BOTS__ENABLED: 'true', TP_HANDLERS__BOTS__SLOWEST: '250', TP_HANDLERS__BOTS__FASTEST: '250' };
  const settings = { ...PATIENT, ...bots, TP_GAME__WORD_COUNT: '4' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const [anna, ben] = await Promise.all([person(t, chrome, address), person(t, chrome, address)]);
  // Ben is online, in another lobby: a player alone on the server would be ready at once.
  await ben.getByRole('button', { name: 'Play with friends' }).click();
  await ben.getByRole('button', { name: 'Start now' }).waitFor();
  await play(anna, 'Anna');
  await anna.getByRole('button', { name: "I'm ready" }).waitFor();
  await ben.getByRole('button', { name: 'Leave' }).click();
  await play(ben, 'Ben');
  for (const page of [anna, ben]) await seats(page, 2);
  for (const page of [anna, ben]) await beReady(page);
  await Promise.all([started(anna), started(ben)]);
  const rows = anna.locator('.standings li', { hasText: 'bot' });
  await until(async () => /done/.test((await rows.allTextContents()).join()), 'a bot has finished');
  await typeText(anna);
  await heading(anna, /You are 1st of 2, behind 1 bot/);
});

test('no page is wider than a phone', async (t) => {
  const settings = { ...PATIENT, TP_GAME__WORD_COUNT: '20', TP_HANDLERS__DAILY__WORDS: '8' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, address, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await anna.goto(`${address}/#/login`);
  await anna.getByLabel('Name', { exact: true }).fill('Anna with a name of many letters');
  await anna.getByLabel('Password').fill('correct horse battery');
  await anna.getByRole('button', { name: 'Create account' }).click();
  await anna.getByText('No races yet.').waitFor();
  const race = async () => {
    await started(anna);
    await typeText(anna);
    await finished(anna);
    await anna.getByRole('link', { name: 'Watch the replay' }).waitFor();
  };
  await anna.goto(`${address}/#/solo`);
  await race();
  await anna.goto(`${address}/#/daily`);
  await anna.getByRole('button', { name: "Race today's text" }).click();
  await race();
  const table = (name) => anna.getByRole('columnheader', { name, exact: true }).first();
  const fits = async (name) => {
    const [width, screen] = await anna.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth, clientWidth];
    });
    assert.ok(width <= screen, `${name}: ${width} pixels on a screen of ${screen}`);
    await picture(anna, `narrow-${name}`);
  };
  await fits('result');
  await anna.getByRole('link', { name: 'Watch the replay' }).click();
  await table('Typed').waitFor();
  await anna.getByText('Slowest keys of').waitFor();
  await fits('replay');
  // Also those of keys, which are not cut off.
  for (const cap of await anna.locator('.replay .cap').all()) {
    const { x, width } = await cap.boundingBox();
    assert.ok(x >= 0 && x + width <= 390);
  }
  for (const [path, column] of [['replays', 'Replay'], ['boards', 'Player'], ['daily', 'Player'], ['profile', 'Replay']]) {
    await anna.goto(`${address}/#/${path}`);
    await table(column).waitFor();
    await fits(path);
  }
});

test('a phone in landscape with its keyboard open shows the current line and the next', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__WORD_COUNT: '50' }), await browser(t)];
  const screen = { width: 844, height: 190 };
  const anna = await person(t, chrome, `${address}/#/solo`, { viewport: screen, hasTouch: true, isMobile: true });
  await started(anna);
  assert.equal(await anna.getByRole('banner').isVisible(), false);
  await anna.locator('.stage').tap();
  await typeText(anna, { to: 20 });
  await typedWords(anna, 20);
  const boxes = (selector) =>
    anna.locator(selector).evaluateAll((all) => all.map((element) => element.getBoundingClientRect().toJSON()));
  await until(async () => {
    const [[text], [caret], letters] = await Promise.all(['.stage .text', '.own.caret', '.stage .word span'].map(boxes));
    const isWhole = ({ top, bottom }) => top >= text.top - 1 && bottom <= Math.min(text.bottom, screen.height) + 1;
    const lines = [...new Set(letters.filter(isWhole).map(({ top }) => Math.round(top)))];
    return lines.length === 2 && Math.abs(lines[0] - caret.top) < 3 && lines[1] > caret.bottom;
  }, 'the line of the caret and the next are whole');
});
