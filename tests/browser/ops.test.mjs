// The operations page: figures, a live tail and switches, accessible in light and dark.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { browser, finished, freePort, person, picture, play, server, started, typeText, until } from './helper.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDE = { width: 1280, height: 900 };

test('an operator sees a race, follows it, and switches a module off and on', async (t) => {
  const port = await freePort();
  const settings = { TP_OPERATIONS__PORT: `${port}`, TP_HANDLERS__BOTS__ENABLED: 'true', TP_GAME__WORD_COUNT: '12' };
  const [address, chrome] = [await server(t, settings), await browser(t)];
  const anna = await person(t, chrome, address);
  await play(anna, 'Anna');
  await started(anna);
  const ops = await person(t, chrome, `http://127.0.0.1:${port}/ops`, { colorScheme: 'light', viewport: WIDE });
  await ops.getByText('Up to date.').waitFor();

  await ops.getByLabel('Id', { exact: true }).first().fill('1');
  await ops.getByRole('button', { name: 'Start' }).click();
  await ops.getByText(/Following game/).waitFor();
  await typeText(anna);
  await finished(anna);
  await ops.locator('#tail li', { hasText: 'player.finished' }).first().waitFor();

  const row = ops.getByRole('row', { name: /^online / });
  await row.getByRole('button', { name: 'Switch off online' }).click();
  await ops.getByRole('heading', { name: 'Switch off online?' }).waitFor();
  assert.deepEqual(await violations(ops), [], 'dialog');
  await ops.getByRole('button', { name: 'Switch off', exact: true }).click();
  await ops.getByText('Done: switch off module online (all pods).').waitFor();
  await row.getByText(/off since 20.*by 127\.0\.0\.1 \(loopback\)/).waitFor();
  assert.equal((await fetch(`${address}/api/v1/online`)).status, 503);
  // The focus returns to the button that opened the dialog.
  await until(() => row.getByRole('button').evaluate((it) => it === document.activeElement), 'the button has the focus');
  assert.deepEqual(await violations(ops), [], 'light');
  await ops.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await violations(ops), [], 'dark');
  await picture(ops, 'ops-dark');
  await ops.emulateMedia({ colorScheme: 'light' });

  await row.getByRole('button', { name: 'Switch on online' }).click();
  await ops.getByRole('button', { name: 'Switch on', exact: true }).click();
  await row.getByRole('cell', { name: 'on', exact: true }).waitFor();
  assert.equal((await fetch(`${address}/api/v1/online`)).status, 200);
  await ops.getByRole('cell', { name: 'switch off module online (all pods)' }).waitFor();
  await ops.evaluate(() => scrollTo(0, 0));
  await picture(ops, 'ops');
});

test('the operations page asks for a required token', async (t) => {
  const port = await freePort();
  const settings = { TP_OPERATIONS__PORT: `${port}`, TP_OPERATIONS__TOKEN: 'open sesame' };
  const [, chrome] = [await server(t, settings), await browser(t)];
  const ops = await person(t, chrome, `http://127.0.0.1:${port}/ops`, { colorScheme: 'dark' });
  assert.deepEqual(await violations(ops), []);
  await ops.getByLabel('Token').fill('open sesame');
  await ops.getByRole('button', { name: 'Open' }).click();
  await ops.getByText('Up to date.').waitFor();
});

async function violations(page) {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).slice(0, 5).join(' | ')}`);
}
