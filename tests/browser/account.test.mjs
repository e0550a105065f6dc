// Accounts, the profile, and failures of logging in.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  PATIENT, browser, figure, finished, heading, meet, person, picture, play, server, started, typeText, until,
} from './helper.mjs';

test('an account keeps its races, and the header logs out', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await register(anna, 'Anna');
  await heading(anna, 'Anna');
  await anna.getByText('No races yet.').waitFor();

  await anna.getByRole('link', { name: 'typephoon' }).click();
  await anna.getByText('You play as Anna').waitFor();
  await play(anna);
  await started(anna);
  await typeText(anna);
  await finished(anna);
  await anna.locator('.standings', { hasText: '1st' }).waitFor();

  await anna.getByRole('link', { name: 'Anna' }).click();
  await anna.getByRole('cell', { name: /1st|alone/ }).first().waitFor();
  assert.equal(await figure(anna, 'races'), '1');
  await anna.getByText('The graph starts with your second race.').waitFor();
  const download = anna.waitForEvent('download');
  await anna.getByRole('link', { name: 'My races (CSV)' }).click();
  assert.match((await download).suggestedFilename(), /\.csv$/);

  await anna.getByRole('link', { name: 'typephoon' }).click();
  await play(anna);
  await started(anna);
  await typeText(anna);
  await anna.locator('.standings', { hasText: '1st' }).waitFor();
  await anna.getByRole('link', { name: 'Anna' }).click();
  await anna.getByRole('img', { name: /Speed of the last 2 races/ }).waitFor();
  await picture(anna, 'profile');

  await anna.getByRole('button', { name: 'Log out' }).click();
  await anna.getByText('You are logged out.').waitFor();
  await anna.getByRole('link', { name: 'Log in' }).waitFor();
});

test('a guest who registers in mid-race stays the same player for everyone', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await meet([anna, ben], ['Anna', 'Ben']);
  await typeText(anna, { to: 3 });
  await register(anna, 'Annabel');
  await heading(anna, 'Annabel');
  await anna.getByRole('link', { name: 'typephoon' }).click();
  await anna.getByRole('link', { name: 'Back to the race' }).click();
  await started(anna);
  await until(async () => (await anna.locator('.caret').count()) === 2, 'both carets are drawn');
  assert.equal(await anna.locator('.own.caret').count(), 1);
  await typeText(anna, { from: 3 });
  await heading(anna, 'You are 1st of 2');
  await typeText(ben);
  await heading(ben, 'You are 2nd of 2');
  for (const page of [anna, ben]) {
    await until(async () => (await page.locator('.standings li').count()) === 2, 'the list has two players');
  }
});

test('an empty name field keeps the name, and says so', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Karl');
  await heading(anna, 'Waiting for others');
  await anna.keyboard.press('Escape');
  await anna.getByPlaceholder('Leave empty to stay Karl').fill('');
  await anna.getByRole('button', { name: 'Play', exact: true }).click();
  await anna.locator('.people li', { hasText: 'Karl' }).waitFor();
});

test('a page without cookies over plain HTTP names the setting to change', async (t) => {
  const [address, chrome] = [await server(t, PATIENT), await browser(t)];
  const anna = await person(t, chrome, address);
  const refusal = { ok: false, error: { code: 'TOKEN_NOT_PROVIDED', message: '' } };
  await anna.route('**/lobby/players*', (route) => route.fulfill({ status: 401, json: refusal }));
  await play(anna);
  await anna.getByText('cookies.secure').waitFor();
});

test('a wrong password and a taken name have a message each', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await register(anna, 'Anna');
  await heading(anna, 'Anna');
  const other = await person(t, chrome, address);
  await register(other, 'anna');
  await other.getByText('This name is already taken.').waitFor();
  await other.getByRole('button', { name: 'Log in' }).click();
  await heading(other, 'Anna');
  const third = await person(t, chrome, address);
  await credentials(third, 'Anna', 'not the password');
  await third.getByRole('button', { name: 'Log in' }).click();
  await third.getByText('Wrong name or password.').waitFor();
});

test('an expired access token is renewed silently', async (t) => {
  const [address, chrome] = [await server(t, { TP_TOKEN__ACCESS_DURATION: '5' }), await browser(t)];
  const anna = await person(t, chrome, address);
  let renewals = 0;
  anna.on('request', (request) => (renewals += Number(request.url().endsWith('/auth/token-refresh'))));
  await register(anna, 'Anna');
  await heading(anna, 'Anna');
  await anna.getByRole('link', { name: 'typephoon' }).click();
  await play(anna);
  await started(anna);
  await typeText(anna, { pause: 100 });
  await anna.locator('.standings', { hasText: '1st' }).waitFor();
  await anna.getByRole('link', { name: 'Anna' }).click();
  await anna.getByRole('cell', { name: /1st|alone/ }).first().waitFor();
  assert.ok(renewals > 0);
});

test('a failed login says why', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, `${address}/?reason=access_denied`);
  await anna.getByText('You cancelled the login.').waitFor();
  await heading(anna, 'Log in');
  assert.equal(new URL(anna.url()).search, '');
});

test('a server without accounts says so', async (t) => {
  const [address, chrome] = [await server(t, { TP_AUTH__LOCAL: 'false' }), await browser(t)];
  const anna = await person(t, chrome, `${address}/#/login`);
  await anna.getByText('This server has no accounts').waitFor();
});

async function credentials(page, name, password) {
  await page.getByRole('link', { name: 'Log in' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password').fill(password);
}

async function register(page, name) {
  await credentials(page, name, 'a good password');
  await page.getByRole('button', { name: 'Create account' }).click();
}
