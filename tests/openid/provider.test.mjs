// Tests of the provider itself: `npm test`. Each starts its own and goes through logins by hand, as
// the Rust tests do. They also show how every handle is used.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createHmac, createPublicKey, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';

const CLIENT = {
  client_id: 'race',
  client_secret: 'a secret of the race',
  redirect_uris: ['http://127.0.0.1:9/api/v1/auth/test/login-redirect'],
};

// Starts a provider for one test.
async function started(t, ...args) {
  const child = spawn(process.execPath, ['provider.mjs', ...args], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.after(() => child.kill());
  let printed = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    if (printed.endsWith('\n')) break;
  }
  return { child, ...JSON.parse(printed) };
}

async function withClient(t) {
  return (await started(t, JSON.stringify({ clients: [CLIENT] }))).issuer;
}

const post = (issuer, path, body) =>
  fetch(issuer + path, { method: 'POST', body: JSON.stringify(body) }).then((it) => it.json());
const get = (issuer, path) => fetch(issuer + path).then((it) => it.json());
const clear = (issuer, path) => fetch(issuer + path, { method: 'DELETE' });

// A browser with a cookie jar, which ignores paths as the jar holds one login only.
function browser(jar = new Map()) {
  return async (url, init = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { ...init, headers: { cookie }, redirect: 'manual' });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    const location = answer.headers.get('location');
    return { answer, status: answer.status, next: location && new URL(location, url) };
  };
}

function authorization(issuer, client = CLIENT) {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: client.redirect_uris[0],
    response_type: 'code',
    scope: 'openid email profile',
    state: 'st',
    nonce: 'no',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return { url, verifier };
}

// From the authorization endpoint to the redirect back: its query, and who can redeem its code.
async function visit(issuer, account, client = CLIENT, jar = new Map()) {
  const go = browser(jar.set('openid_account', account));
  const { url, verifier } = authorization(issuer, client);
  let next = url;
  for (let hops = 0; next.origin === issuer; hops += 1) {
    assert.ok(hops < 3, `not back after ${hops} redirects`);
    ({ next } = await go(next));
  }
  return { back: next, query: Object.fromEntries(next.searchParams), verifier, client };
}

function redeem(issuer, { query, verifier, client }) {
  const { client_id: id, client_secret: secret, redirect_uris: [uri] } = client;
  return fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa([id, secret].map(encodeURIComponent).join(':'))}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: query.code,
      redirect_uri: uri,
      code_verifier: verifier,
    }),
  });
}

const part = (text) => JSON.parse(Buffer.from(text, 'base64url'));

async function idToken(issuer, visited) {
  const { id_token: token } = await (await redeem(issuer, visited)).json();
  const [header, claims, signature] = token.split('.');
  return { header: part(header), claims: part(claims), signature, input: `${header}.${claims}` };
}

const login = async (issuer, account) => idToken(issuer, await visit(issuer, account));

async function isGenuine(issuer, { header, input, signature }) {
  const { keys } = await get(issuer, '/jwks');
  const key = keys.find((it) => it.kid === header.kid);
  const bytes = Buffer.from(signature, 'base64url');
  return key && verify('RSA-SHA256', input, { key, format: 'jwk' }, bytes);
}

test('a login gives an id token with the claims of its account, signed by a key it serves', async (t) => {
  const issuer = await withClient(t);
  const visited = await visit(issuer, '77:Ada%20L');
  assert.equal(visited.back.origin + visited.back.pathname, CLIENT.redirect_uris[0]);
  assert.deepEqual(Object.keys(visited.query).sort(), ['code', 'iss', 'state']);
  const token = await idToken(issuer, visited);
  assert.equal(token.header.alg, 'RS256');
  assert.ok(await isGenuine(issuer, token));
  const { iat, exp, ...claims } = token.claims;
  assert.ok(exp > iat);
  assert.deepEqual(claims, {
    sub: '77', name: 'Ada L', email: '77@example.test', email_verified: true,
    preferred_username: 'adal', nonce: 'no', aud: 'race', iss: issuer,
  });
  assert.equal((await redeem(issuer, visited)).status, 400, 'a code counts once');
});

test('logins at once keep their accounts apart, and a browser can change its own', async (t) => {
  const issuer = await withClient(t);
  const subs = ['1', '2', '3', '4'];
  const tokens = await Promise.all(subs.map((sub) => login(issuer, sub)));
  assert.deepEqual(tokens.map((it) => it.claims.sub), subs);

  const jar = new Map();
  for (const sub of ['5', '6']) {
    const visited = await visit(issuer, sub, CLIENT, jar);
    assert.equal((await idToken(issuer, visited)).claims.sub, sub);
  }
});

test('a browser that is to choose an account has chosen by its cookie', async (t) => {
  const issuer = await withClient(t);
  const go = browser(new Map([['openid_account', '77']]));
  const { url } = authorization(issuer);
  url.searchParams.set('prompt', 'select_account');
  const { next: page } = await go(url);
  const { next: resume } = await go(page);
  assert.ok((await go(resume)).next.searchParams.has('code'));
});

test('who declines comes back with access_denied', async (t) => {
  const { query } = await visit(await withClient(t), 'deny');
  assert.equal(query.error, 'access_denied');
  assert.equal(query.state, 'st');
});

test('a human gets a form', async (t) => {
  const issuer = await withClient(t);
  for (const [fields, wanted] of [[{ name: 'Zoë B' }, 'code'], [{ name: '', deny: '' }, 'error']]) {
    const go = browser();
    const { next: page } = await go(authorization(issuer).url);
    const { answer } = await go(page);
    assert.match(await answer.text(), /<form method="post">/);
    const { next: resume } = await go(page, { method: 'POST', body: new URLSearchParams(fields) });
    assert.ok((await go(resume)).next.searchParams.has(wanted));
  }
});

test('PKCE is demanded, and the verifier must fit', async (t) => {
  const issuer = await withClient(t);
  const { url } = authorization(issuer);
  url.searchParams.delete('code_challenge');
  url.searchParams.delete('code_challenge_method');
  const { next } = await browser()(url);
  assert.equal(next.searchParams.get('error'), 'invalid_request');
  const visited = await visit(issuer, '77');
  const answer = await redeem(issuer, { ...visited, verifier: 'x'.repeat(43) });
  assert.equal((await answer.json()).error, 'invalid_grant');
});

test('clients can be added later, and a bad one changes nothing', async (t) => {
  const { issuer } = await started(t);
  const second = { ...CLIENT, client_id: 'second' };
  assert.deepEqual(await post(issuer, '/test/clients', [CLIENT, second]), {});
  const { error } = await post(issuer, '/test/clients', [{ ...CLIENT, redirect_uris: [] }]);
  assert.match(error, /redirect_uris/);
  assert.ok((await visit(issuer, '77', second)).query.code);
  assert.equal((await login(issuer, '77')).claims.aud, 'race');
});

test('keys rotate while a code is under way', async (t) => {
  const issuer = await withClient(t);
  const visited = await visit(issuer, '77');
  const first = await login(issuer, '77');
  const { kid } = await post(issuer, '/test/rotate-keys', { keep_old: true });
  const second = await idToken(issuer, visited);
  assert.equal(second.header.kid, kid);
  assert.ok(await isGenuine(issuer, first));
  assert.ok(await isGenuine(issuer, second));
  await post(issuer, '/test/rotate-keys');
  assert.equal((await get(issuer, '/jwks')).keys.length, 1);
  assert.ok(!await isGenuine(issuer, second));
});

test('codes expire, by age or by order', async (t) => {
  const issuer = await withClient(t);
  const ordered = await visit(issuer, '77');
  assert.deepEqual(await post(issuer, '/test/expire-codes'), { expired: 1 });
  assert.equal((await (await redeem(issuer, ordered)).json()).error, 'invalid_grant');
  await post(issuer, '/test/code-ttl', { seconds: 1 });
  const aged = await visit(issuer, '77');
  await new Promise((resume) => { setTimeout(resume, 1100); });
  assert.equal((await (await redeem(issuer, aged)).json()).error, 'invalid_grant');
});

test('tampering changes what it names and nothing else', async (t) => {
  const issuer = await withClient(t);
  const claims = { aud: 'someone-else', nonce: null, exp: 1 };
  await post(issuer, '/test/tamper', { sub: '77', claims });
  const token = await login(issuer, '77');
  assert.ok(await isGenuine(issuer, token));
  assert.equal(token.claims.aud, 'someone-else');
  assert.equal(token.claims.exp, 1);
  assert.ok(!('nonce' in token.claims));
  assert.equal(token.claims.name, 'User 77');
  assert.equal((await login(issuer, '78')).claims.aud, 'race');
  await clear(issuer, '/test/tamper');
  assert.equal((await login(issuer, '77')).claims.aud, 'race');
});

test('tokens can be signed wrongly', async (t) => {
  const issuer = await withClient(t);
  const signed = async (sign, header) => {
    await post(issuer, '/test/tamper', { sign, header });
    return login(issuer, '77');
  };
  const { keys: [key] } = await get(issuer, '/jwks');
  const hmac = (secret, { input }) =>
    createHmac('sha256', secret).update(input).digest('base64url');
  const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' });

  const unknown = await signed('unknown-key');
  assert.equal(unknown.header.kid, key.kid);
  assert.equal(await isGenuine(issuer, unknown), false);
  assert.equal((await signed('unknown-key', { kid: 'nobody' })).header.kid, 'nobody');
  const none = await signed('none');
  assert.deepEqual([none.header.alg, none.signature], ['none', '']);
  const hs256 = await signed('hs256');
  assert.equal(hs256.header.alg, 'HS256');
  assert.equal(hs256.signature, hmac(CLIENT.client_secret, hs256));
  const confused = await signed('hs256-public-key');
  assert.equal(confused.signature, hmac(pem, confused));
  assert.match((await post(issuer, '/test/tamper', { sign: 'x' })).error, /unknown-key/);
});

test('paths fail as told, and requests are counted', async (t) => {
  const issuer = await withClient(t);
  await post(issuer, '/test/fault', { path: '/jwks', status: 503, times: 1 });
  assert.equal((await fetch(`${issuer}/jwks`)).status, 503);
  assert.equal((await fetch(`${issuer}/jwks`)).status, 200);

  await post(issuer, '/test/fault', { path: '/token', body: '<p>not JSON' });
  const visited = await visit(issuer, '77');
  assert.equal(await (await redeem(issuer, visited)).text(), '<p>not JSON');
  await clear(issuer, '/test/fault');
  assert.equal((await redeem(issuer, visited)).status, 200, 'a fault uses up no code');

  await post(issuer, '/test/fault', { path: '/jwks', delay_ms: 10000 });
  await assert.rejects(fetch(`${issuer}/jwks`, { signal: AbortSignal.timeout(100) }));
  assert.deepEqual(await get(issuer, '/test/requests'), {
    '/jwks': 3, '/auth': 1, '/interaction/:uid': 1, '/auth/:uid': 1, '/token': 2,
  });
  await clear(issuer, '/test/requests');
  assert.deepEqual(await get(issuer, '/test/requests'), {});
});

test('it ends with its stdin', async (t) => {
  const { child } = await started(t);
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
