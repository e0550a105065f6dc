// Races, from the lobby to the result.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  PATIENT, beReady, browser, endOfLine, figure, finished, heading, hold, meet, person, picture, placesOfWords, play, seats,
  server, started, typeText, typedWords, until,
} from './helper.mjs';

test('two players race to the result, key by key', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = await people(t, chrome, address, 2);
  await meet([anna, ben], ['Anna', 'Ben']);

  await typeText(ben, { to: 3 });
  const bens = anna.getByRole('progressbar', { name: 'Progress of Ben' });
  await until(async () => (await bens.evaluate((bar) => bar.value)) > 0.2, 'Anna sees Ben ahead');
  await typeText(anna);
  await finished(anna);
  await heading(anna, 'You are 1st of 2');
  await anna.locator('.own-row .badge', { hasText: '1' }).waitFor();
  await anna.getByRole('heading', { name: 'Still typing' }).waitFor();

  const before = await bens.evaluate((bar) => bar.value);
  await typeText(ben, { from: 3, to: 6 });
  await until(async () => (await bens.evaluate((bar) => bar.value)) > before, 'the result is live');
  await typeText(ben, { from: 6 });
  await heading(ben, 'You are 2nd of 2');
  await anna.getByText('2nd, 100% accuracy').waitFor();
  assert.ok(Number(await figure(anna, 'WPM')) > 5);
  assert.equal(await figure(anna, 'Accuracy'), '100.0%');
});

test('five players fill a lobby, and all get their places', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const names = ['Anna', 'Ben', 'Cleo', 'Dan', 'Eva'];
  const all = await people(t, chrome, address, names.length);
  for (const [index, page] of all.entries()) await play(page, names[index]);
  await Promise.all(all.map(started));
  for (const page of all) await typeText(page, { pause: 5 });
  for (const [index, page] of all.entries()) await heading(page, new RegExp(`You are ${index + 1}.. of 5`));
  await picture(all[4], 'five-players-result');
});

test('practice alone starts at once', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const anna = await person(t, chrome, address);
  const before = Date.now();
  await anna.getByRole('button', { name: 'Practice alone' }).click();
  await started(anna);
  assert.ok(Date.now() - before < 100_000, 'practice does not wait for others');
  await typeText(anna, { pause: 60 });
  await heading(anna, 'Finished');
  await anna.getByRole('img', { name: /Your speed, second by second/ }).waitFor();
  await anna.getByRole('button', { name: 'Again', exact: true }).click();
  await started(anna);
});

test('bots race a lonely player, and are marked as bots', async (t) => {
  const settings = { ...SLOW_BOTS, TP_GAME__LOBBY_COUNTDOWN: '3' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, address);
  const release = await hold(anna, '**/lobby/ready');
  await play(anna, 'Anna');
  // They sit in the lobby for a second and a half, which a busy machine may miss.
  await anna.locator('.people .mark, .standings li').filter({ hasText: 'bot' }).first().waitFor();
  release();
  await started(anna);
  const bots = anna.locator('.standings li', { hasText: 'bot' });
  assert.ok((await bots.count()) >= 2);
  const bar = bots.first().getByRole('progressbar');
  await until(async () => (await bar.evaluate((it) => it.value)) > 0, 'a bot moves');
  await picture(anna, 'race-with-bots');
  await typeText(anna);
  await finished(anna);
  await heading(anna, /You are 1st of \d, against bots/);
  assert.equal(await anna.getByRole('button', { name: 'Again with the same people' }).count(), 0);
});

test('wrong letters are shown and counted, and can be corrected', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna);
  await started(anna);
  await anna.keyboard.type('#');
  await anna.locator('.word .wrong').waitFor();
  await anna.locator('.field[aria-invalid="true"]').waitFor();
  assert.equal(await figure(anna, 'Accuracy'), '0%');
  await anna.keyboard.type(' ');
  await anna.locator('.wrong-word').waitFor();
  // Screen readers hear it, too.
  await anna.getByText(/^Wrong\. /).waitFor({ state: 'attached' });
  // Back into the word, to correct it.
  await anna.keyboard.press('Backspace');
  await anna.keyboard.press('Backspace');
  await typeText(anna);
  await finished(anna);
  await anna.locator('.mistakes').first().getByText(/mistake/).waitFor();
});

test('a wrong last word asks to be fixed', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__WORD_COUNT: '3' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna);
  await started(anna);
  await typeText(anna, { to: 2 });
  await anna.keyboard.type('#');
  const words = anna.getByRole('status').filter({ hasText: 'Fix the last word to finish' });
  for (const key of ['Space', 'Enter']) {
    await anna.keyboard.press(key);
    await words.waitFor();
    await anna.keyboard.press('Backspace');
    await words.waitFor({ state: 'detached' });
    await anna.keyboard.type('#');
  }
  await anna.keyboard.press('Backspace');
  await typeText(anna, { from: 2 });
  await finished(anna);
});

test('neither Escape nor keys outside the input lose the race', async (t) => {
  const [address, chrome] = [await server(t, { TP_GAME__START_COUNTDOWN: '5' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna);
  await anna.getByText('Type each word, then a space.').waitFor();
  await started(anna);
  await typeText(anna, { to: 2 });
  await anna.keyboard.press('Tab');
  await until(() => anna.evaluate(() => document.activeElement.textContent === 'Leave the race'), 'Tab reaches the button');
  await typeText(anna, { from: 2, to: 4 });
  await typedWords(anna, 4);
  await anna.keyboard.press('Escape');
  await anna.getByRole('button', { name: 'Press again to leave' }).waitFor();
  await anna.keyboard.press('Escape');
  await anna.getByRole('link', { name: 'Back to the race' }).click();
  await started(anna);
  await typeText(anna, { from: 4 });
  await finished(anna);
});

test('one socket lasts from the lobby\'s end to the result', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  const sockets = [];
  anna.on('websocket', (socket) => socket.url().includes('/game/ws') && sockets.push(socket));
  await play(anna);
  await started(anna);
  await typeText(anna);
  await finished(anna);
  await anna.locator('.standings', { hasText: '1st' }).waitFor();
  assert.equal(sockets.length, 1);
  assert.equal(sockets[0].isClosed(), false);
});

test('names of close carets do not overlap, and no letter moves the text', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const names = ['Anna', 'Ben', 'Cleo', 'Dan', 'Eva'];
  const all = await people(t, chrome, address, names.length);
  for (const [index, page] of all.entries()) await play(page, names[index]);
  await Promise.all(all.map(started));
  const [anna, ...others] = all;
  for (const page of others) await page.keyboard.type('#');
  const labels = anna.locator('.caret .label');
  await until(async () => (await labels.count()) === 4, 'all carets are drawn');
  const edges = () =>
    labels.evaluateAll((found) =>
      found
        .map((label) => [label.getBoundingClientRect(), label.innerText.replace(/^\d\s*/, '')])
        .map(([{ left, right }, name]) => ({ left, right, name }))
        .sort((a, b) => a.left - b.left),
    );
  assert.deepEqual((await edges()).map(({ name }) => name).sort(), names.slice(1));
  // Carets glide to their places.
  const isFree = (all) => all.slice(1).every(({ left }, index) => left >= all[index].right);
  await until(async () => isFree(await edges()), 'no name overlaps another');

  const before = await anna.evaluate(placesOfWords);
  await typeText(anna, { to: await anna.evaluate(endOfLine), pause: 5 });
  await anna.keyboard.type('#'.repeat(20));
  await anna.locator('.word .extra').waitFor();
  assert.deepEqual(await anna.evaluate(placesOfWords), before);
  const fits = await anna.locator('.word .extra').evaluate((extra) => {
    const lines = extra.closest('.lines').getBoundingClientRect();
    return extra.getBoundingClientRect().right <= lines.right + 1;
  });
  assert.ok(fits, 'extra letters stay within the text');
});

test('a second window of the same player follows the race', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await seats(anna, 1);
  const second = await anna.context().newPage();
  await second.goto(address);
  await play(second);
  await seats(second, 1);
  await anna.bringToFront();
  await beReady(anna);
  await Promise.all([started(anna), started(second)]);
  await typeText(anna);
  await Promise.all([finished(anna), finished(second)]);
});

test('composed text of an input method counts as typed', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address, PHONE);
  await play(anna);
  await started(anna);
  const words = (await anna.locator('#race-text').textContent()).split(' ');
  const keyboard = await anna.context().newCDPSession(anna);
  for (const [index, word] of words.entries()) {
    for (let end = 1; end <= word.length; end += 1) {
      const text = word.slice(0, end);
      await keyboard.send('Input.imeSetComposition', { text, selectionStart: end, selectionEnd: end });
    }
    // The keyboard inserts the word and the space after it at once.
    await keyboard.send('Input.insertText', { text: index + 1 < words.length ? `${word} ` : word });
  }
  await finished(anna);
  assert.equal(await figure(anna, 'Accuracy'), '100.0%');
});

test('pasted text does not count', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna);
  await started(anna);
  await anna.evaluate(() => {
    const data = new DataTransfer();
    data.setData('text/plain', document.getElementById('race-text').textContent);
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, cancelable: true }));
    document.execCommand('paste');
  });
  assert.equal(await anna.locator('.field').inputValue(), '');
});

test('the same players meet again', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const both = await people(t, chrome, address, 2);
  await meet(both, ['Anna', 'Ben']);
  for (const page of both) await typeText(page, { pause: 5 });
  // The first player in the lobby is its host.
  for (const page of both) {
    await page.getByRole('button', { name: 'Again with the same people' }).click();
    await seats(page, 1);
  }
  for (const page of both) await seats(page, 2);
  await both[0].getByText('The others can join with the same button').waitFor();
  await both[0].getByRole('button', { name: 'Start now' }).click();
  await Promise.all(both.map(started));
});

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const SLOW_BOTS = { TP_HANDLERS__BOTS__ENABLED: 'true', TP_HANDLERS__BOTS__SLOWEST: '5', TP_HANDLERS__BOTS__FASTEST: '6' };

const people = (t, chrome, address, count) =>
  Promise.all(Array.from({ length: count }, () => person(t, chrome, address)));
