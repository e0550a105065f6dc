// The fair-play review: an organiser strikes a result under suspicion, and its player reads why.

import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { lookAt } from './axe.mjs';
import { browser, finished, heading, person, picture, server, started, typeText, until } from './helper.mjs';

const key = (name) => readFileSync(new URL(`../api/keys/${name}.pem`, import.meta.url), 'utf8');

// Any speed is too fast for a person, and the organiser is the account of the token below.
const SETTINGS = {
  TP_AUTH__ORGANISERS: '["google-77"]',
  TP_HANDLERS__RECORDER__SIGNALS__FASTEST_WPM: '1',
  TP_TOKEN__PRIVATE_KEY: key('private'),
  TP_TOKEN__PUBLIC_KEY: key('public'),
};

// The access token of an account, as the server issues it.
function token() {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: 'google-77', name: 'Olga', exp: now + 3600, nbf: now - 1, iat: now, user_type: 'REGISTERED' };
  const part = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const message = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  return `${message}.${createSign('RSA-SHA256').update(message).sign(SETTINGS.TP_TOKEN__PRIVATE_KEY, 'base64url')}`;
}

test('an organiser strikes a result, and its player reads why', async (t) => {
  const [address, chrome] = [await server(t, SETTINGS), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/solo`);
  await started(anna);
  await typeText(anna, { pause: 40 });
  await finished(anna);
  await anna.getByText('It is faster than any person types.').waitFor();
  assert.equal(await anna.getByRole('link', { name: 'Review', exact: true }).count(), 0);

  const olga = await person(t, chrome, address);
  await olga.context().addCookies([{ name: 'TP_AT', value: token(), url: address }]);
  await olga.reload();
  await olga.getByRole('link', { name: 'Review', exact: true }).click();
  await heading(olga, 'Fair-play review');
  const row = olga.locator('.review li');
  await row.getByText('It is faster than any person types.').waitFor();
  await lookAt(olga, 'review');
  // Without a reason nothing happens.
  await row.getByRole('button', { name: 'Strike' }).click();
  assert.equal(await row.getByRole('status').textContent(), '');
  await row.getByRole('textbox').fill('Typed by a program');
  await row.getByRole('button', { name: 'Strike' }).click();
  await row.getByText('Struck: Typed by a program').waitFor();

  await anna.getByRole('link', { name: 'Watch the replay' }).click();
  const mark = anna.getByRole('cell', { name: 'Struck Typed by a program' });
  await until(async () => {
    await anna.reload();
    await heading(anna, 'Replay');
    return (await mark.count()) === 1;
  }, 'the replay says so');
  await picture(anna, 'struck');

  // While the other list is on its way, there is nothing to type into.
  let release;
  const held = new Promise((done) => (release = done));
  await olga.route('**/review/results?judged=true', async (route) => {
    await held;
    await route.continue();
  });
  await olga.getByRole('radio', { name: 'Judged' }).check();
  assert.equal(await row.count(), 0);
  release();
  await row.getByText('Struck: Typed by a program').waitFor();
  await row.getByRole('textbox').fill('A fast typist');
  await row.getByRole('button', { name: 'Clear' }).click();
  await row.getByText('Cleared: A fast typist').waitFor();
  await row.getByRole('button', { name: 'Show the replay' }).click();
  await row.locator('.replay').getByRole('button', { name: 'Play' }).waitFor();
  await picture(olga, 'review-replay');
  await row.getByRole('button', { name: 'Hide the replay' }).click();
  assert.equal(await olga.locator('.replay').count(), 0);
  await row.getByRole('link', { name: /^Replay of/ }).click();
  await heading(olga, 'Replay');
});

test('for other players there is no such page', async (t) => {
  const [address, chrome] = [await server(t, SETTINGS), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/review`);
  // It is no page for them.
  await anna.getByRole('button', { name: 'Play', exact: true }).waitFor();
  assert.equal(await anna.getByRole('link', { name: 'Review', exact: true }).count(), 0);
});
