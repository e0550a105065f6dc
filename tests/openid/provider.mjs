// The OpenID provider that the tests log in at: the real one of `oidc-provider`, on a port of
// 127.0.0.1, with handles under /test/ by which a test steers it. Never for anything but tests.
//
//     npm ci
//     node provider.mjs '{"port": 0, "clients": [
//         {"client_id": "race", "client_secret": "…", "redirect_uris": ["http://…"]}]}'
//
// Both fields may be left out: the port is then a free one, and clients come by POST /test/clients.
// Prints {"issuer": "http://127.0.0.1:PORT"} on one line when it listens, and ends with its stdin,
// so that it never outlives the test that started it.
//
// Here is what becomes of a request. `issuer.mjs` sets the provider up, `login.mjs` is who logs in,
// `tokens.mjs` the keys and what goes wrong with id tokens, `steering.mjs` all under /test/.

import { Console } from 'node:console';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { buildIssuer, checkClients, forgetSession } from './issuer.mjs';
import { interact } from './login.mjs';
import { failAsTold, steer } from './steering.mjs';
import { newKey } from './tokens.mjs';

// Stdout is for the one line, and it may have no reader after that. The library would print its
// notices there.
globalThis.console = new Console(process.stderr);

const { port = 0, clients = [] } = JSON.parse(process.argv[2] ?? '{}');

const server = createServer();
server.listen(port, '127.0.0.1');
await once(server, 'listening');

const state = {
  issuer: `http://127.0.0.1:${server.address().port}`,
  clients,
  keys: [newKey()], // All of them are in the JWKS, the first one signs.
  codeTtl: 60, // Seconds.
  records: new Map(), // What the provider keeps: codes, grants, interactions.
  names: new Map(), // Of accounts, by sub: of those that have logged in.
  tampering: new Map(), // What goes wrong with id tokens, by sub; '*' is for all.
  faults: new Map(), // What goes wrong with requests, by path.
  requests: new Map(), // How many there have been, by path.
};
await checkClients(state, clients);
let provider = buildIssuer(state);

// The provider reads keys and clients but once, so for new ones there is a new provider. It takes
// over the records, so no login notices. What it refuses changes nothing.
function rebuild(changes) {
  provider = buildIssuer({ ...state, ...changes });
  Object.assign(state, changes);
}

// The path under which a request is counted and can be made to fail.
function placeOf(path) {
  return path.replace(/^\/(auth|interaction)\/.+/, '/$1/:uid');
}

async function answer(req, res) {
  const { pathname } = new URL(req.url, state.issuer);
  if (pathname.startsWith('/test/')) return steer(state, rebuild, pathname, req, res);

  const place = placeOf(pathname);
  state.requests.set(place, (state.requests.get(place) ?? 0) + 1);
  if (await failAsTold(state, place, res)) return undefined;

  if (place === '/interaction/:uid') return interact(provider, state, req, res);
  forgetSession(req);
  return provider.callback()(req, res);
}

server.on('request', (req, res) => {
  answer(req, res).catch((error) => {
    const { message, error_description: reason } = error;
    if (!res.headersSent) res.writeHead(400, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ error: reason ?? message }));
  });
});

const end = () => process.exit(0);
process.stdin.on('end', end).on('error', end).resume();
process.stdout.write(`${JSON.stringify({ issuer: state.issuer })}\n`);
