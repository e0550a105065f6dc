// The recorded race: its grade beside the result, and its replay, for players and for everyone with the link.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { PATIENT, browser, finished, gather, beReady, person, picture, server, started, typeText, until, wordsOf } from './helper.mjs';

// The keys of a test come evenly.
const EVEN = { TP_HANDLERS__RECORDER__SIGNALS__LEAST_VARIATION_PERCENT: '0' };

const slider = (page) => page.getByRole('slider', { name: 'Time' });
const timeOf = (page) => slider(page).inputValue().then(Number);
const typedIn = (page) => page.locator('.replay .text .right, .replay .text .wrong').count();

test('a race is verified key by key, and can be seen again by mouse and keys', async (t) => {
  const [address, chrome] = [await server(t, { ...PATIENT, ...EVEN }), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  // Ben's page is one that knows the first format only.
  await ben.addInitScript(() => {
    const Plain = WebSocket;
    window.WebSocket = class extends Plain {
      constructor(url) {
        super(url);
      }
    };
  });
  await ben.reload();
  const pages = [anna, ben];
  await gather(pages, ['Anna', 'Ben']);
  for (const page of pages) await beReady(page);
  await Promise.all(pages.map(started));
  const text = await wordsOf(anna);
  // A wrong letter, put right.
  await anna.keyboard.type(text[0] === 'q' ? 'x' : 'q', { delay: 60 });
  await anna.keyboard.press('Backspace');
  await typeText(anna, { pause: 40 });
  await finished(anna);
  await anna.getByText('the server checked every key').waitFor();
  await typeText(ben, { pause: 40 });
  await finished(ben);
  await ben.getByText('checked by position and time only').waitFor();
  const signed = anna.getByRole('link', { name: 'Signed result' });
  const saved = anna.waitForEvent('download');
  await signed.click();
  const document = JSON.parse(readFileSync(await (await saved).path()));
  assert.equal(document.format, 'typephoon-result/1');
  assert.deepEqual([document.result.words, document.result.grade], [text, 'verified']);
  await picture(anna, 'recorded-result');
  await anna.getByRole('link', { name: 'Watch the replay' }).click();
  await anna.getByRole('heading', { level: 1, name: 'Replay' }).waitFor();

  // Anyone with the link sees both.
  const link = anna.url();
  const zoe = await person(t, chrome, link);
  await zoe.getByRole('row', { name: /Anna.*1st.*Verified/ }).waitFor();
  await zoe.getByRole('row', { name: /Ben.*2nd.*Estimated/ }).waitFor();
  assert.equal(await typedIn(zoe), 0);
  await zoe.getByRole('button', { name: 'Play', exact: true }).click();
  await until(async () => (await typedIn(zoe)) > 3, 'letters appear');
  await zoe.getByRole('button', { name: 'Pause' }).click();
  await picture(zoe, 'replay');
  const paused = await timeOf(zoe);
  assert.ok(paused > 0);
  await zoe.locator('.replay h1').click();
  await zoe.keyboard.press('ArrowRight');
  assert.ok((await timeOf(zoe)) >= paused + 990);
  await zoe.keyboard.press('End');
  await until(async () => (await typedIn(zoe)) === text.replaceAll(' ', '').length, 'the whole text is typed');
  await zoe.keyboard.press('Home');
  await until(async () => (await typedIn(zoe)) === 0, 'nothing is typed');
  const box = await slider(zoe).boundingBox();
  await zoe.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await until(async () => (await typedIn(zoe)) > 0, 'half of the text is typed');
  await zoe.getByRole('radio', { name: 'Ben' }).check();
  await until(async () => (await zoe.locator('.replay .text .wrong').count()) === 0, 'the letters of Ben are shown');

  await zoe.getByRole('link', { name: 'Signed result of Ben' }).waitFor();

  // The wrong letter and the slowest keys are Anna's; of Ben's keys only the carets are known.
  assert.equal(await zoe.locator('.replay .heat').count(), 0);
  await zoe.getByRole('radio', { name: 'Anna' }).check();
  await zoe.getByText(/^Slowest keys of Anna: .+ ms.* Missed: .+ 1×/).waitFor();
  const first = text[0].toLowerCase();
  const title = await zoe.locator('.replay .cap', { hasText: new RegExp(`^${first}$`) }).getAttribute('title');
  assert.match(title, /pressed \d+×, 1 wrong/);
  await picture(zoe, 'replay-heat');
  await zoe.getByRole('radio', { name: 'Ben' }).check();

  // The file has all of it.
  const file = await zoe.getByRole('link', { name: 'Save as JSON' }).getAttribute('href');
  const { words, players } = await zoe.evaluate((path) => fetch(path).then((answer) => answer.json()), file);
  assert.equal(words, text);
  assert.equal(players[0].edits.filter(({ del }) => del === 1).length, 1);
  assert.equal(players[1].positions.length, text.length);

  // Anna finds it again in her list.
  await anna.getByRole('link', { name: 'Replays' }).first().click();
  await anna.getByRole('link', { name: 'Watch' }).click();
  await anna.getByRole('row', { name: /Anna.*you/ }).waitFor();
});

test('a reload in mid-race costs no key', async (t) => {
  const [address, chrome] = [await server(t, EVEN), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/solo`);
  await started(anna);
  await typeText(anna, { to: 3, pause: 40 });
  await anna.reload();
  await started(anna);
  await typeText(anna, { from: 3, pause: 40 });
  await finished(anna);
  await anna.getByText('the server checked every key').waitFor();
});

test('a link to a race that is not there says so', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/replays/35-00000000000000000000`);
  await anna.getByText("This replay doesn't exist or has expired.").waitFor();
});
