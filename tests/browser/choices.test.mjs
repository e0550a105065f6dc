// Choices of players: theme, sounds, text, password, and the address of an invitation.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, heading, person, picture, seats, server, started, until, wordsOf } from './helper.mjs';

test('a theme applies at once, and after a reload', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByRole('link', { name: 'Settings' }).click();
  const ground = () => anna.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await anna.getByLabel('Storm').check();
  const storm = await ground();
  assert.notEqual(storm, before);
  await anna.reload();
  assert.equal(await ground(), storm);
  assert.ok(await anna.getByLabel('Storm').isChecked());
  await anna.getByLabel('Dark').check();
  const dark = await ground();
  await anna.getByLabel('System').check();
  assert.equal(await ground(), before);
  await anna.emulateMedia({ colorScheme: 'dark' });
  assert.equal(await ground(), dark);
});

test('practice has the chosen text', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.getByLabel('Length').selectOption('50 words');
  await anna.getByLabel('Punctuation').check();
  await anna.getByRole('button', { name: 'Practice alone' }).click();
  await started(anna);
  const text = await wordsOf(anna);
  assert.equal(text.split(' ').length, 50);
  assert.match(text, /^[A-Z].*[.?!]$/);
});

test('sounds are off until they are switched on', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  await anna.evaluate(() => {
    globalThis.made = 0;
    const Real = globalThis.OscillatorNode;
    globalThis.OscillatorNode = class extends Real {
      constructor(...all) {
        super(...all);
        globalThis.made += 1;
      }
    };
  });
  await anna.getByRole('button', { name: 'Practice alone' }).click();
  await started(anna);
  await anna.keyboard.type('x');
  assert.equal(await anna.evaluate(() => globalThis.made), 0);
  await anna.keyboard.press('Escape');
  await anna.keyboard.press('Escape');
  await anna.getByRole('link', { name: 'Settings' }).click();
  await anna.getByLabel('Keys, mistakes, start and finish').check();
  await until(() => anna.evaluate(() => globalThis.made > 0), 'a sound is played');
});

test('an account changes its password, logs out in the header, and is deleted', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  const logIn = async (password, button) => {
    await anna.getByRole('link', { name: 'Log in' }).click();
    await anna.getByLabel('Name', { exact: true }).fill('Anna');
    await anna.getByLabel('Password').fill(password);
    await anna.getByRole('button', { name: button }).click();
  };
  await logIn('a good password', 'Create account');
  await anna.getByText('No races yet.').waitFor();
  assert.equal(await anna.getByText('0.0 WPM').count(), 0);
  await anna.getByText('Change password').first().click();
  await anna.getByLabel('Current password').fill('not my password');
  await anna.getByLabel('New password').fill('a better password');
  const change = anna.getByRole('button', { name: 'Change password' });
  await change.click();
  await anna.getByText('That is not your current password.').waitFor();
  await anna.getByLabel('Current password').fill('a good password');
  await change.click();
  await anna.getByText('Password changed.').waitFor();
  await picture(anna, 'profile-account');
  await anna.getByRole('banner').getByRole('button', { name: 'Log out' }).click();
  await anna.getByText('You are logged out.').waitFor();
  await logIn('a better password', 'Log in');
  await heading(anna, 'Anna');
  await anna.getByRole('button', { name: 'Delete account' }).click();
  await anna.getByRole('button', { name: 'Press again' }).click();
  await anna.getByText('Your account and all your races have been deleted.').waitFor();
  await anna.getByRole('link', { name: 'Log in' }).waitFor();
});

test('an invitation from localhost shows the address in the local network, also as a QR code', async (t) => {
  const [address, chrome] = [await server(t), await browser(t)];
  const anna = await person(t, chrome, address);
  // Stands for such an address, which not every machine has.
  const local = '127.0.0.2';
  await anna.route('**/lobby/address', (route) => route.fulfill({ json: { ok: true, address: local } }));
  await anna.getByRole('button', { name: 'Play with friends' }).click();
  await anna.getByRole('img', { name: 'The link as a QR code' }).waitFor();
  const link = await anna.getByLabel('Send this link to your friends').inputValue();
  assert.ok(link.startsWith(`http://${local}:`));
  await picture(anna, 'invitation');
  const ben = await person(t, chrome, link);
  await ben.getByRole('button', { name: 'Join' }).click();
  await seats(anna, 2);
  // A page that was opened at such an address keeps it.
  await ben.getByRole('img', { name: 'The link as a QR code' }).waitFor();
  assert.equal(await ben.getByLabel('Send this link to your friends').inputValue(), link);
});
