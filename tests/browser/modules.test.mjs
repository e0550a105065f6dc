// What handler modules show on the pages of the client.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  beReady, browser, figure, finished, heading, meet, person, picture, seats, server, started, typeText, wordsOf,
} from './helper.mjs';

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

test('program code is typed line by line, and a quotation names its source', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  const kind = anna.getByLabel('Kind of text');
  await kind.selectOption('code');
  await anna.getByLabel('Language').selectOption('python');
  await picture(anna, 'kind-of-text');
  await anna.getByRole('button', { name: 'Practice alone' }).click();
  await started(anna);
  await picture(anna, 'code');
  const lines = await anna.locator('.stage .lines').evaluate((element) => element.innerText.split('⏎'));
  assert.ok(lines.length >= 5, lines.join('|'));
  const typed = lines.map((line) => line.trim().replace(/\s+/g, ' '));
  for (const [at, line] of typed.entries()) {
    await anna.keyboard.type(line, { delay: 5 });
    if (at === typed.length - 1) break;
    if (at === 0) {
      await anna.keyboard.press('Space');
      await anna.getByText('Press Enter at the end of the line').waitFor();
    }
    await anna.keyboard.press('Enter');
  }
  await finished(anna);
  assert.equal(await figure(anna, 'Accuracy'), '100.0%');

  // The same text again, then a quotation.
  await anna.getByRole('button', { name: 'The same text again' }).waitFor();
  await anna.waitForTimeout(1_100);
  await anna.keyboard.press('Alt+Enter');
  await started(anna);
  const again = await anna.locator('.stage .lines').evaluate((element) => element.innerText.split('⏎'));
  assert.deepEqual(again.map((line) => line.trim()), lines.map((line) => line.trim()));
  await anna.goto(`${address}/#/`);
  await kind.selectOption('quotes');
  await anna.getByRole('button', { name: 'Practice alone' }).click();
  await started(anna);
  await typeText(anna, { pause: 5 });
  await finished(anna);
  await anna.getByText(/^Text: /).waitFor();
});

test('the host enters a text of their own, and friends type it', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByLabel('Your name').fill('Anna');
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  const link = await anna.getByLabel('Send this link to your friends').inputValue();
  const ben = await person(t, chrome, link);
  await ben.getByLabel('Your name').fill('Ben');
  await ben.keyboard.press('Enter');
  await anna.getByText('Ben', { exact: true }).waitFor();
  await anna.getByLabel('Kind of text').selectOption('own');
  await anna.getByLabel('Your own text').fill('Hello “Ben”');
  await anna.getByRole('button', { name: 'Use this text' }).click();
  await ben.getByText('Your own text').waitFor();
  await anna.getByRole('button', { name: 'Start now' }).click();
  await Promise.all([started(anna), started(ben)]);
  assert.equal(await wordsOf(ben), 'Hello "Ben"');
});

test('players with an account see their place on the boards, and their rating', async (t) => {
  // Results of short texts are on no board.
  const settings = { ...PATIENT, TP_GAME__WORD_COUNT: '20' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await anna.goto(`${address}/#/login`);
  await anna.getByLabel('Name', { exact: true }).fill('Anna');
  await anna.getByLabel('Password').fill('correct horse battery');
  await anna.getByRole('button', { name: 'Create account' }).click();
  await heading(anna, 'Anna');
  await anna.goto(`${address}/#/`);
  await anna.getByText('You play as Anna').waitFor();
  await ben.getByLabel('Your name').fill('Ben');
  for (const page of [anna, ben]) await page.getByRole('button', { name: 'Play', exact: true }).click();
  for (const page of [anna, ben]) await seats(page, 2);
  for (const page of [anna, ben]) await beReady(page);
  await Promise.all([anna, ben].map(started));
  for (const page of [anna, ben]) await typeText(page, { pause: 20 });
  await Promise.all([anna, ben].map(finished));
  await anna.getByText(/^On the boards: 1st today/).waitFor();
  await anna.getByText(/^Rating: 1\d{3} ± \d+ \(\+\d+\)$/).waitFor();
  await picture(anna, 'standing');
  await anna.getByRole('link', { name: 'Boards' }).first().click();
  await anna.getByRole('row', { name: /Anna/ }).waitFor();
  await picture(anna, 'boards');
  await anna.getByRole('link', { name: 'Anna' }).click();
  await anna.getByText('After 1 race against others').waitFor();
  await anna.getByRole('heading', { level: 2, name: 'Latest replays' }).waitFor();
  await anna.getByRole('link', { name: 'Watch' }).click();
  await heading(anna, 'Replay');
});

test('two players race the text of the day, one by one, and see their places', async (t) => {
  const [address, chrome] = [await server(t, { TP_HANDLERS__DAILY__WORDS: '8' }), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  const texts = [];
  for (const [page, pause] of [[anna, 150], [ben, 5]]) {
    await page.getByRole('link', { name: 'Daily' }).click();
    await heading(page, 'Daily challenge');
    await page.getByText(/^Time left: \d+:\d\d:\d\d$/).waitFor();
    await page.getByRole('button', { name: "Race today's text" }).click();
    await started(page);
    texts.push(await wordsOf(page));
    await typeText(page, { pause });
    await finished(page);
    await page.getByText('Daily challenge: 1st').waitFor();
  }
  assert.equal(texts[1], texts[0]);
  await picture(ben, 'daily-result');
  await anna.getByRole('link', { name: 'Board of the day' }).click();
  await anna.getByText(/^Your place: 2nd/).waitFor();
  await anna.getByRole('row', { name: /you/ }).waitFor();
  await picture(anna, 'daily');
  await anna.getByLabel('Yesterday').check();
  await anna.getByText('No results on this day.').waitFor();

  // Once more, from the result of the other player.
  await ben.getByRole('button', { name: 'Try the daily challenge again' }).click();
  await started(ben);
  assert.equal(await wordsOf(ben), texts[0]);
});

test('reactions are hidden until another person is here', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  const enter = (page) => page.getByRole('button', { name: 'Play', exact: true }).click();
  await enter(anna);
  await anna.locator('.emotes').waitFor({ state: 'attached' });
  assert.equal(await anna.locator('.emotes').isVisible(), false);
  await enter(ben);
  await anna.locator('.emotes').waitFor();
});
