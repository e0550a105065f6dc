// A server, a browser and people who race. Each test has its own server, on a free port and with its
// own data. The binary is that of TYPEPHOON_API, or the debug build of this project.
//
// SCREENSHOTS names a folder for pictures of the pages; without it none are made.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { chromium } from 'playwright-core';

const BINARY = process.env.TYPEPHOON_API ?? resolve(import.meta.dirname, '../../target/debug/typephoon-api');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PATIENCE = 15_000;

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// Short, so that a test takes seconds; long enough to see each stage.
const SETTINGS = {
  TP_COOKIES__SECURE: 'false',
  TP_HANDLERS__BOTS__ENABLED: 'false',
  TP_GAME__LOBBY_COUNTDOWN: '2',
  TP_GAME__START_COUNTDOWN: '2',
  TP_GAME__WORD_COUNT: '8',
  TP_OPERATIONS__PORT: '0',
  LOG_LEVEL: 'warn',
};

// The address of a server that ends with the test.
export async function server(t, settings = {}) {
  return (await restartable(t, settings)).address;
}

// The same, and a function that stops it and starts it again, with the same port and data.
export async function restartable(t, settings = {}) {
  const data = mkdtempSync(join(tmpdir(), 'typephoon-'));
  const env = { ...process.env, ...SETTINGS, TP_DATA_DIR: data, ...settings };
  for (let tries = 0; tries < 5; tries += 1) {
    const port = await freePort();
    const address = `http://127.0.0.1:${port}`;
    let running = await launch(data, { ...env, TP_SERVER__PORT: `${port}` }, address);
    // Between being found free and being taken, a port may have gone to somebody else.
    if (!running) continue;
    const stop = () => {
      running.child.kill();
      return running.ended;
    };
    t.after(async () => {
      await stop();
      rmSync(data, { recursive: true });
    });
    const restart = async () => {
      await stop();
      running = await launch(data, { ...env, TP_SERVER__PORT: `${port}` }, address);
    };
    return { address, restart };
  }
  throw new Error(`${BINARY} does not start`);
}

// A process of the server, once it is up; nothing if it has ended.
async function launch(data, env, address) {
  const child = spawn(BINARY, { cwd: data, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !(await isUp(address))) await delay(50);
  return child.exitCode === null ? { child, ended } : undefined;
}

const isUp = (address) =>
  fetch(`${address}/healthcheck/ready`, { signal: AbortSignal.timeout(2_000) }).then((it) => it.ok, () => false);

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

export async function browser(t) {
  const it = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  t.after(() => it.close());
  return it;
}

// Somebody with a browser of their own, on the home page. Whatever goes wrong in the page fails the test.
export async function person(t, chrome, address, options = {}) {
  const context = await chrome.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const faults = [];
  page.on('pageerror', (fault) => faults.push(fault));
  page.on('console', (line) => isFault(line) && faults.push(new Error(line.text())));
  t.after(() => {
    if (faults.length > 0) throw faults[0];
  });
  await page.goto(address);
  return page;
}

// The browser reports every refused request; that is for the page to deal with.
const isFault = (line) => line.type() === 'error' && !/Failed to load resource|WebSocket/.test(line.text());

export const heading = (page, text) => page.getByRole('heading', { level: 1, name: text }).waitFor();

// Into a public lobby, under that name.
export async function play(page, name) {
  if (name) await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
}

export const started = (page) => page.locator('main.is-on').waitFor();

export const wordsOf = (page) => page.locator('#race-text').textContent();

// Milliseconds between two keys at least: the server ranks nobody who types more than 30 letters a second.
const FASTEST = 20;

// Types the text, or the words from `from` until `to`, key by key.
export async function typeText(page, { from = 0, to = Infinity, pause = 25 } = {}) {
  const words = (await wordsOf(page)).split(' ');
  const part = words.slice(from, to).join(' ');
  await page.keyboard.type(to < words.length ? `${part} ` : part, { delay: Math.max(pause, FASTEST) });
}

export const finished = (page) => page.waitForURL(/#\/result$/);

// One figure of the race or the result.
export const figure = (page, name) => page.locator(`[data-figure="${name}"]`).textContent();

export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

// Waits until `check` holds.
export async function until(check, what = 'it') {
  const end = Date.now() + PATIENCE;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await delay(50);
  }
}
