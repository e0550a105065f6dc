// The handles by which a test steers the provider, and the faults of requests. JSON in, JSON out;
// what cannot be done is answered with 400 and {"error": …}.

import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';

import { checkClients, expireCodes } from './issuer.mjs';
import { newKey, planTampering } from './tokens.mjs';

// `(state, rebuild, body) => answer`; no answer is {}.
const HANDLES = {
  // [client, …]: adds them, or takes the place of those with the same id. Wanted where the server
  // under test gets its port only after it was told the issuer.
  'POST /test/clients': async (state, rebuild, added) => {
    await checkClients(state, added);
    const ids = new Set(added.map((client) => client.client_id));
    rebuild({ clients: [...state.clients.filter((it) => !ids.has(it.client_id)), ...added] });
  },

  // {"keep_old": true}: signs with a new key. Without `keep_old` the JWKS has that one alone.
  'POST /test/rotate-keys': ({ keys }, rebuild, { keep_old: keepOld = false }) => {
    const key = newKey();
    rebuild({ keys: [key, ...(keepOld ? keys : [])] });
    return { kid: key.kid };
  },

  // {"seconds": 1}: how long codes live that are handed out from now on.
  'POST /test/code-ttl': (_, rebuild, { seconds }) => {
    if (!(Number.isInteger(seconds) && seconds > 0)) throw new Error('seconds is 1 or more');
    rebuild({ codeTtl: seconds });
  },

  // The same without waiting: codes that have been handed out are too old from now on.
  'POST /test/expire-codes': ({ records }) => ({ expired: expireCodes(records) }),

  'POST /test/tamper': (state, _, plan) => planTampering(state, plan),
  'DELETE /test/tamper': ({ tampering }) => tampering.clear(),

  // {"path": "/token", "delay_ms"?, "status"?, "body"?, "times"?}. With neither status nor body
  // the provider answers after the delay. Without `times` it lasts until it is cleared.
  'POST /test/fault': ({ faults }, _, { path, ...fault }) => {
    if (!path?.startsWith('/')) throw new Error('path is the path that fails');
    faults.set(path, fault);
  },
  'DELETE /test/fault': ({ faults }) => faults.clear(),

  'GET /test/requests': ({ requests }) => Object.fromEntries(requests),
  'DELETE /test/requests': ({ requests }) => requests.clear(),
};

export async function steer(state, rebuild, path, req, res) {
  const handle = HANDLES[`${req.method} ${path}`];
  if (!handle) throw new Error(`no such handle; there are ${Object.keys(HANDLES).join(', ')}`);
  const body = JSON.parse((await text(req)) || '{}');
  const answer = (await handle(state, rebuild, body)) ?? {};
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify(answer));
}

// Does what a test has planned for this path; true if that was the answer.
export async function failAsTold({ faults }, path, res) {
  const fault = faults.get(path);
  if (!fault) return false;
  if (fault.times !== undefined && --fault.times <= 0) faults.delete(path);

  await delay(fault.delay_ms ?? 0);
  const { status, body } = fault;
  if (status === undefined && body === undefined) return false;
  const isText = typeof body === 'string';
  res.writeHead(status ?? 200, { 'content-type': isText ? 'text/html' : 'application/json' });
  res.end(isText ? body : JSON.stringify(body ?? {}));
  return true;
}
