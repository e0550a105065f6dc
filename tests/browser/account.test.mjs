// Accounts, the profile, and what goes wrong when logging in.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, figure, finished, heading, person, picture, play, server, started, typeText } from './helper.mjs';

test('an account keeps its races until one logs out', async (t) => {
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
  await anna.getByRole('cell', { name: '1st' }).waitFor();
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

test('who registers in mid-race stays the same player, for all', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const [anna, ben] = [await person(t, chrome, address), await person(t, chrome, address)];
  await Promise.all([play(anna, 'Anna'), play(ben, 'Ben')]);
  await anna.getByText('Ben', { exact: true }).waitFor();
  await Promise.all([started(anna), started(ben)]);
  await typeText(anna, { to: 3 });
  await register(anna, 'Annabel');
  await heading(anna, 'Annabel');
  await anna.getByRole('link', { name: 'typephoon' }).click();
  await anna.getByRole('link', { name: 'Back to the race' }).click();
  await started(anna);
  assert.equal(await anna.locator('.own.caret').count(), 1);
  await typeText(anna, { from: 3 });
  await heading(anna, 'You are 1st of 2');
  await typeText(ben);
  await heading(ben, 'You are 2nd of 2');
  for (const page of [anna, ben]) assert.equal(await page.locator('.standings li').count(), 2);
});

test('who empties the field of the name is told that the name stays', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Karl');
  await heading(anna, 'Waiting for others');
  await anna.keyboard.press('Escape');
  await anna.getByPlaceholder('Leave empty to stay Karl').fill('');
  await anna.getByRole('button', { name: 'Play', exact: true }).click();
  await anna.getByText('Karl', { exact: true }).waitFor();
});

test('a browser that is sent no cookie over plain HTTP says whose setting that is', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  const refusal = { ok: false, error: { code: 'TOKEN_NOT_PROVIDED', message: '' } };
  await anna.route('**/lobby/players*', (route) => route.fulfill({ status: 401, json: refusal }));
  await play(anna);
  await anna.getByText('cookies.secure').waitFor();
});

test('a wrong password and a name that is taken are told in words', async (t) => {
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

test('an access token that has expired is renewed without a word', async (t) => {
  const [address, chrome] = [await server(t, { TP_TOKEN__ACCESS_DURATION: '2' }), await browser(t)];
  const anna = await person(t, chrome, address);
  await register(anna, 'Anna');
  await heading(anna, 'Anna');
  await anna.getByRole('link', { name: 'typephoon' }).click();
  await play(anna);
  await started(anna);
  await typeText(anna, { pause: 60 });
  await anna.locator('.standings', { hasText: '1st' }).waitFor();
  await anna.getByRole('link', { name: 'Anna' }).click();
  await anna.getByRole('cell', { name: '1st' }).waitFor();
});

test('a login that failed says why', async (t) => {
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
