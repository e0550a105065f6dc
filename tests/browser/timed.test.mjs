// Races against the clock.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  PATIENT, beReady, browser, figure, finished, heading, person, picture, seats, server, started, typeText, typedWords, until,
  wordsOf,
} from './helper.mjs';
import { lookAt } from './axe.mjs';
import { START_POSITION, botsAhead, placeOf, standing, trackLength } from '../../web/players.js';

const SECONDS = { TP_HANDLERS__TIMED__SECONDS: '[60, 4]' };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' };

test('two players race the clock, and are ranked by their correct words', async (t) => {
  const [address, chrome] = [await server(t, { ...PATIENT, ...SECONDS }), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address, PHONE)];
  const both = [anna, ben];
  for (const page of both) await page.goto(`${address}/#/timed/60`);
  for (const page of both) {
    await heading(page, '60 seconds against the clock');
    await seats(page, 2);
  }
  await inBoth(both, 'lobby');
  for (const page of both) await beReady(page);
  await anna.getByText('Type as many words as you can in 60 seconds.').waitFor();
  await Promise.all(both.map(started));
  await inBoth(both, 'start');
  await ben.locator('.stage').tap();
  await typeText(ben, { to: 2 });
  await typedWords(ben, 2);
  // A reload continues the race, with the time that is left.
  const start = () => ben.evaluate(() => JSON.parse(sessionStorage.race).start);
  const before = await start();
  await ben.reload();
  await started(ben);
  assert.ok(Math.abs((await start()) - before) < 5, 'the clock continues');
  assert.ok(Number(await figure(ben, 'Time left')) < 60);
  await typedWords(ben, 2);
  await typeText(ben, { from: 2, to: 3 });
  await typeText(anna, { to: 5 });
  await anna.keyboard.type('# ');
  await anna.locator('.own-row').getByText('6 words').waitFor();
  await until(async () => (await figure(anna, 'Words')) === '5', 'the wrong word does not count');
  const bars = await anna.locator('.standings progress').evaluateAll((all) => all.map(({ value }) => value));
  assert.ok(bars.every((value) => value > 0 && value < 1), `on the track: ${bars}`);
  await Promise.all(both.map((page) => page.locator('[data-figure="Time left"].last').waitFor()));
  assert.equal(await figure(ben, 'Place'), '2nd of 2');
  // There is no time for more.
  await inBoth(both, 'end', picture);
  await Promise.all(both.map(finished));
  await heading(anna, 'You are 1st of 2');
  await heading(ben, 'You are 2nd of 2');
  for (const page of both) {
    const rows = await page.locator('.standings .state').allTextContents();
    assert.match(rows[0], /^1st, 5 words, \d+%(, \w+)?$/);
    assert.match(rows[1], /^2nd, 3 words, 100%(, \w+)?$/);
    assert.equal(await page.getByRole('heading', { name: 'Still typing' }).count(), 0);
  }
  assert.equal(await figure(anna, 'Words'), '5');
  await inBoth(both, 'result');
  const stored = (name) => anna.evaluate((it) => JSON.parse(localStorage.getItem(it)), name);
  assert.deepEqual([await stored('past'), await stored('timed')], [null, { 60: 5 }], 'records of their own');
});

test('a tab that was closed in mid-race finds the race again', async (t) => {
  const [address, chrome] = [await server(t, { ...PATIENT, ...SECONDS }), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.goto(`${address}/#/timed/60`);
  await beReady(anna);
  await started(anna);
  await typeText(anna, { to: 2 });
  await typedWords(anna, 2);
  const next = await anna.context().newPage();
  await anna.close();
  await next.goto(address);
  await next.getByRole('link', { name: 'Back to the race' }).click();
  await started(next);
  await typedWords(next, 2);
  assert.ok(Number(await figure(next, 'Time left')) < 60);
});

test('a player alone races bots at once, until the time is up, and again', async (t) => {
  const bots = { TP_HANDLERS__BOTS__ENABLED: 'true', TP_HANDLERS__BOTS__SLOWEST: '5', TP_HANDLERS__BOTS__FASTEST: '6' };
  const [address, chrome] = [await server(t, { ...SECONDS, ...bots, TP_GAME__LOBBY_COUNTDOWN: '3' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.goto(`${address}/#/timed/4`);
  await started(anna);
  const words = (await wordsOf(anna)).split(' ');
  const isOn = () => anna.locator('main.page-race').count();
  for (const word of words) {
    if ((await isOn()) === 0) break;
    await anna.keyboard.type(`${word} `, { delay: 40 });
  }
  await finished(anna);
  await heading(anna, /You are \d.. of \d, against bots/);
  const own = await anna.locator('.own-row .state').textContent();
  assert.ok(own.includes(`, ${await figure(anna, 'Words')} word`), own);
  assert.equal(await figure(anna, 'Time'), '0:04');
  await picture(anna, 'timed-bots');
  await anna.getByRole('button', { name: 'Again', exact: true }).click();
  await heading(anna, '4 seconds against the clock');
});

test('home offers the times, and remembers the chosen one', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const anna = await person(t, chrome, address);
  const race = anna.getByRole('button', { name: 'Race the clock' });
  const seconds = anna.getByLabel('Time on the clock');
  await race.waitFor();
  assert.equal(await seconds.inputValue(), '60');
  await seconds.selectOption('30 seconds');
  await anna.reload();
  await race.waitFor();
  assert.equal(await seconds.inputValue(), '30');
  await picture(anna, 'timed-home');
  await anna.setViewportSize(PHONE.viewport);
  await picture(anna, 'timed-home-phone');
  await race.click();
  await heading(anna, '30 seconds against the clock');
  await anna.keyboard.press('Escape');
  await heading(anna, 'Race others at typing');
});

test('home offers no race against the clock where the server has none', async (t) => {
  const [address, chrome] = [await server(t, { TP_HANDLERS__DISABLED: '["timed"]' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.waitForLoadState('networkidle');
  assert.equal(await anna.getByRole('button', { name: 'Race the clock' }).count(), 0);
});

test('a time that the server does not offer leads home, with a message', async (t) => {
  const [address, chrome] = [await server(t, SECONDS), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.goto(`${address}/#/timed/7`);
  await anna.getByText('This server offers no races of 7 seconds.').waitFor();
  await heading(anna, 'Race others at typing');
});

test('results against the clock are listed by correct words, then by speed', () => {
  const words = ['the', 'cat', 'sat'];
  const finished = new Date(Date.UTC(2030, 0, 1)).toISOString();
  const row = (id, more) => ({ id, finished, wpm: 60, position: START_POSITION, ...more });
  const me = row('me', { correct_words: 9 });
  const bot = row('bot', { bot: true, correct_words: 12 });
  const fast = row('fast', { correct_words: 9, wpm: 70 });
  const late = row('late', { wpm: 90 });
  const cheat = row('cheat', { correct_words: 0, unranked: 'KEYSTROKES_NOT_SEEN' });
  const order = standing([cheat, late, me, fast, bot], words).map(({ id }) => id);
  assert.deepEqual(order, ['bot', 'fast', 'me', 'late', 'cheat']);
  assert.equal(botsAhead(me, [me, bot]), 1);
  assert.equal(placeOf(me, [me, bot], words).place, 2);
  assert.equal(trackLength([me, bot], 60, true), 12);
  assert.equal(trackLength([me, bot], 60, false), 80);
  assert.equal(trackLength([me, bot], 6, false), 12, 'never shorter than the leader has typed');
});

const inBoth = ([desktop, phone], name, look = lookAt) =>
  Promise.all([look(desktop, `timed-${name}-desktop`), look(phone, `timed-${name}-phone`)]);
