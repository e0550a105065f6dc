// API calls. They return the body, or throw a `Failure`.

import { reached } from './connection.js';

const ROOT = '/api/v1';
const PATIENCE = 10_000;
const PAUSES = [500, 1_000, 2_000, 4_000, 8_000];

// A failed call. `code` is that of the error envelope, or NETWORK without an answer.
export class Failure extends Error {
  constructor(code, status = 0) {
    super(code);
    this.code = code;
    this.status = status;
  }

  // Whether the same call may succeed later.
  get passes() {
    return this.code === 'NETWORK' || this.status >= 500 || this.status === 429;
  }
}

// Retries a call with back-off, as long as that may help and `isWanted()` holds.
export async function insist(act, isWanted) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await act();
    } catch (failure) {
      if (!failure.passes || !isWanted()) throw failure;
    }
    if (await pause(PAUSES[tries] ?? PAUSES.at(-1))) tries = -1;
  }
}

const sleepers = new Set();

// Ends all pauses: the network or the server is back.
export function wake() {
  for (const rise of sleepers) rise(true);
}

addEventListener('online', wake);

// Whether the pause was cut short.
async function pause(time) {
  let rise;
  const isWoken = await new Promise((done) => {
    rise = done;
    sleepers.add(rise);
    setTimeout(() => rise(false), time);
  });
  sleepers.delete(rise);
  return isWoken;
}

export const get = (path) => call('GET', path);
export const post = (path, body) => call('POST', path, body);
export const remove = (path) => call('DELETE', path);

async function call(method, path, body) {
  try {
    return await send(method, path, body);
  } catch (failure) {
    if (failure.code !== 'TOKEN_EXPIRED') throw failure;
    await refresh();
    return send(method, path, body);
  }
}

// Concurrent calls with an expired token share one refresh.
let refreshing = null;

function refresh() {
  refreshing ??= send('POST', '/auth/token-refresh').finally(() => (refreshing = null));
  return refreshing;
}

async function send(method, path, body) {
  const answer = await answerTo(ROOT + path, {
    method,
    cache: 'no-store',
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok && content.ok) return content;
  // Without the envelope, the answer comes from a proxy or was cut off.
  throw new Failure(content.error?.code ?? 'NETWORK', answer.status);
}

async function answerTo(url, options) {
  try {
    const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) });
    reached(true);
    return answer;
  } catch {
    reached(false);
    throw new Failure('NETWORK');
  }
}

// Whether the server answers at all.
export const isThere = () =>
  answerTo(`${ROOT}/online`, { cache: 'no-store' }).then(
    () => true,
    () => false,
  );
