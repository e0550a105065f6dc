// The same client in Firefox, driven by Puppeteer, since Playwright needs a Firefox build of its own.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { server } from './helper.mjs';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
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
