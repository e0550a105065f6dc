// The same client in Firefox, driven by Puppeteer, since Playwright needs a Firefox build of its own.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { PATIENT, endOfLine, placesOfWords, server, stallable } from './helper.mjs';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
// `WebSocket.OPEN`, which not every Node.js has.
const OPEN = 1;
const skip = existsSync(FIREFOX) ? false : `there is no ${FIREFOX}`;

test('Firefox races to the result, over a reload', { skip }, async (t) => {
  const page = await firefox(t, await server(t));
  await page.locator('#name').fill('Anna');
  await page.locator('.primary').click();
  await page.waitForSelector('main.is-on');
  const words = (await page.$eval('#race-text', (it) => it.textContent)).split(' ');

  await page.keyboard.type('#');
  await page.waitForSelector('.word .wrong');
  await page.keyboard.press('Backspace');
  await page.keyboard.type(`${words[0]} #`, { delay: 20 });
  // Backspace goes back into a wrong word.
  await page.keyboard.type(' ');
  await page.waitForSelector('.wrong-word');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await page.keyboard.type(`${words[1]} `, { delay: 20 });

  await page.reload();
  await page.waitForSelector('main.is-on');
  await typedWords(page, 2);
  await page.keyboard.type(words.slice(2).join(' '), { delay: 20 });
  await page.waitForFunction(() => location.hash === '#/result');
  await page.waitForFunction(() => document.querySelector('.standings')?.textContent.includes('1st'));
  assert.equal(await page.$eval('h1', (it) => it.textContent), 'Finished');
});

test('Firefox invites friends over plain HTTP', { skip }, async (t) => {
  const page = await firefox(t, await server(t));
  await page.locator('::-p-text(Play with friends)').click();
  await page.waitForSelector('#link');
  await page.locator('::-p-text(Copy)').click();
  await page.waitForFunction(() => /^Cop/.test(document.querySelector('.copied').textContent));
  await page.locator('::-p-text(Start now)').click();
  await page.waitForSelector('main.is-on');
});

test('Firefox finds the race of a closed tab again, in every theme', { skip }, async (t) => {
  const settings = { TP_HANDLERS__BOTS__ENABLED: 'true', TP_GAME__WORD_COUNT: '12' };
  const address = await server(t, settings);
  const page = await firefox(t, address);
  await page.locator('.primary').click();
  // A player alone with bots is ready at once.
  await page.waitForSelector('main.is-on');
  const words = (await page.$eval('#race-text', (it) => it.textContent)).split(' ');
  await page.keyboard.type(`${words.slice(0, 3).join(' ')} `, { delay: 20 });
  // The copy for other tabs is saved after each word.
  await page.waitForFunction(() => JSON.parse(localStorage.race ?? '{}').ends?.length === 3);
  const tab = await page.browser().newPage();
  await page.close();
  await tab.goto(address);
  await tab.locator('::-p-text(Back to the race)').click();
  await tab.waitForSelector('main.is-on');
  await typedWords(tab, 3);
  const ground = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const grounds = new Set();
  for (const theme of ['light', 'dark', 'storm', 'paper']) {
    await tab.evaluate((it) => (document.documentElement.dataset.theme = it), theme);
    grounds.add(await ground());
  }
  assert.equal(grounds.size, 4);
  await tab.keyboard.type(words.slice(3).join(' '), { delay: 20 });
  await tab.waitForFunction(() => location.hash === '#/result');
});

test('Firefox opens the socket of a race once, and keeps it on the result', { skip }, async (t) => {
  const page = await firefox(t, await server(t));
  await page.evaluate(() => {
    globalThis.sockets = [];
    globalThis.WebSocket = class extends WebSocket {
      constructor(...args) {
        super(...args);
        globalThis.sockets.push(this);
      }
    };
  });
  await page.locator('.primary').click();
  await typeAll(page);
  await page.waitForFunction(() => location.hash === '#/result');
  await page.waitForFunction(() => document.querySelector('.standings')?.textContent.includes('1st'));
  const sockets = await page.evaluate(() => globalThis.sockets.map(({ url, readyState }) => [new URL(url).pathname, readyState]));
  assert.deepEqual(sockets.filter(([path]) => path.endsWith('/game/ws')), [['/api/v1/game/ws', OPEN]]);
});

test('Firefox calls a frozen connection slow, in the lobby and in the race', { skip }, async (t) => {
  const way = await stallable(t, await server(t, PATIENT));
  const page = await firefox(t, way.address);
  const stall = async (words) => {
    way.stall();
    await reads(page, `Connection is slow. ${words}`);
    way.open();
    await reads(page, 'Connected');
  };
  await page.locator('.primary').click();
  await page.waitForSelector('.people li');
  await stall('You keep your seat.');
  await page.locator("::-p-text(I'm ready)").click();
  await page.waitForSelector('main.is-on');
  await stall('Keep typing, nothing is lost.');
});

test('Firefox moves no word for letters beyond the end of a line', { skip }, async (t) => {
  const page = await firefox(t, await server(t, { TP_GAME__WORD_COUNT: '25' }));
  await page.locator('.primary').click();
  await page.waitForSelector('main.is-on');
  const before = await page.evaluate(placesOfWords);
  await typeAll(page, await page.evaluate(endOfLine));
  await page.keyboard.type('#'.repeat(20));
  await page.waitForSelector('.word .extra');
  assert.deepEqual(await page.evaluate(placesOfWords), before);
});

// Types the text after START, or its first words and the space after them.
async function typeAll(page, to) {
  await page.waitForSelector('main.is-on');
  const words = (await page.$eval('#race-text', (it) => it.textContent)).split(' ');
  await page.keyboard.type(to ? `${words.slice(0, to).join(' ')} ` : words.join(' '), { delay: 20 });
}

// Waits until the header has these words; those of a slow connection come after three seconds.
const reads = (page, words) =>
  page.waitForFunction((wanted) => document.getElementById('connection').textContent === wanted, { timeout: 8_000 }, words);

const typedWords = (page, count) =>
  page.waitForFunction((wanted) => document.querySelectorAll('.word:has(.right)').length === wanted, {}, count);

// A browser on the home page. Errors in the page fail the test.
async function firefox(t, address) {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const faults = [];
  page.on('pageerror', (fault) => faults.push(fault));
  t.after(() => assert.deepEqual(faults, []));
  await page.goto(address);
  return page;
}
