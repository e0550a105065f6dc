// A server, a browser and players. Each test has its own server, on a free port and with its own data. The
// binary is that of TYPEPHOON_API, or the debug build of this project.
//
// SCREENSHOTS names a folder for pictures of the pages; without it none are made. THROTTLE=4 makes the pages run
// four times slower, which shows tests that depend on the speed of the machine.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { chromium } from 'playwright-core';

const BINARY = process.env.TYPEPHOON_API ?? resolve(import.meta.dirname, '../../target/debug/typephoon-api');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PATIENCE = 60_000;
const THROTTLE = Number(process.env.THROTTLE ?? 1);

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
    // Another test may have taken the port meanwhile.
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

// A process of the server, once it is up; undefined if it has ended.
async function launch(data, env, address) {
  const child = spawn(BINARY, { cwd: data, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(child, 'exit');
  const runs = () => child.exitCode === null && child.signalCode === null;
  while (runs() && !(await isUp(address))) await delay(50);
  return runs() ? { child, ended } : undefined;
}

const isUp = (address) =>
  fetch(`${address}/healthcheck/ready`, { signal: AbortSignal.timeout(2_000) }).then((it) => it.ok, () => false);

// Below the ports that the system gives to outgoing connections: one of those could take the port of a server
// that restarts.
const PORTS = { from: 12_000, to: 32_000 };

export async function freePort() {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening').then(() => true, () => false);
    probe.close();
    if (isFree) return port;
  }
}

export async function browser(t) {
  const it = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  t.after(() => it.close());
  return it;
}

// A proxy to the server that can stall: data sent meanwhile arrives when it is open again.
export async function stallable(t, address) {
  const { hostname, port } = new URL(address);
  const sockets = new Set();
  let isStalled = false;
  const way = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      sockets.add(from);
      from.on('data', (data) => to.write(data));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      if (isStalled) from.pause();
    }
  });
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    way.close();
  });
  const each = (turn) => sockets.forEach(turn);
  return {
    address: `http://127.0.0.1:${way.address().port}`,
    stall: () => ((isStalled = true), each((socket) => socket.pause())),
    open: () => ((isStalled = false), each((socket) => socket.resume())),
  };
}

// The page of a new player, at `address`, in a browser context of its own. Errors in the page fail the test.
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
  if (THROTTLE > 1) await throttle(context, page);
  await page.goto(address);
  return page;
}

async function throttle(context, page) {
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
}

// The browser reports every refused request; the page handles those.
const isFault = (line) => line.type() === 'error' && !/Failed to load resource|WebSocket/.test(line.text());

export const heading = (page, text) => page.getByRole('heading', { level: 1, name: text }).waitFor();

// From the home page into a public lobby, under that name.
export async function play(page, name) {
  if (name) await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
}

// Settings of a lobby that closes when all players are ready, or when it is full. With a short countdown, a slow
// machine would bring the players into different lobbies.
export const PATIENT = { TP_GAME__LOBBY_COUNTDOWN: '120' };

// Brings the players from the home page into one lobby, which must be `PATIENT`.
export async function gather(pages, names) {
  for (const [index, page] of pages.entries()) await play(page, names[index]);
  for (const page of pages) await seats(page, pages.length);
}

// Waits until the lobby shows that many players.
export const seats = (page, count) => page.locator('.people li').nth(count - 1).waitFor();

export const beReady = (page) => page.getByRole('button', { name: "I'm ready" }).click();

// Brings the players from the home page into one race, until START.
export async function meet(pages, names) {
  await gather(pages, names);
  for (const page of pages) await beReady(page);
  await Promise.all(pages.map(started));
}

export const started = (page) => page.locator('main.is-on').waitFor();

export const wordsOf = (page) => page.locator('#race-text').textContent();

// The least milliseconds between two keys: faster than 30 letters a second is not ranked.
const FASTEST = 20;

// Types the text, or the words from `from` until `to`, key by key.
export async function typeText(page, { from = 0, to = Infinity, pause = 25 } = {}) {
  const words = (await wordsOf(page)).split(' ');
  const part = words.slice(from, to).join(' ');
  await page.keyboard.type(to < words.length ? `${part} ` : part, { delay: Math.max(pause, FASTEST) });
}

// Waits until the result is shown, not only for its address, which changes before the page does.
export const finished = (page) => page.locator('main.page-result h1').waitFor();

// Waits until this many words are shown as typed. The text is drawn at the next frame.
export const typedWords = (page, count) =>
  until(async () => (await page.locator('.word:has(.right)').count()) === count, `${count} words are shown as typed`);

// One figure of the race or the result.
export const figure = (page, name) => page.locator(`[data-figure="${name}"]`).textContent();

export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

// Holds back the page's requests to `url`. Returns a function that lets them go.
export async function hold(page, url) {
  let release;
  const isReleased = new Promise((resolve) => (release = resolve));
  await page.route(url, async (route) => {
    await isReleased;
    // The test may be over, and the page closed.
    await route.continue().catch(() => {});
  });
  return release;
}

// Waits until `check` holds.
export async function until(check, what) {
  const end = Date.now() + PATIENCE;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`timed out waiting until ${what}`);
    await delay(50);
  }
}

// These two run in the page: the places of all words, and the index of the last word on the first line.
export const placesOfWords = () => [...document.querySelectorAll('.word')].map((it) => [it.offsetLeft, it.offsetTop]);

export const endOfLine = () => {
  const words = [...document.querySelectorAll('.word')];
  const next = words.findIndex((word) => word.offsetTop > words[0].offsetTop);
  return (next < 0 ? words.length : next) - 1;
};
