// The signing keys, and the attacks on id tokens. A tampered token is taken apart and put together
// anew, so that the named fault is the only one in it.

import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

// A private JWK.
export function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = privateKey.export({ format: 'jwk' });
  return { ...jwk, kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

// How a token can be signed: what its header says, and the signature. `key` is the honest way.
// The two of HS256 are for a server that lets the token choose how it is verified: with the
// client's secret, or with the public key (as PEM) for a secret.
const SIGNING = {
  key: { alg: 'RS256', signature: (input, { keys: [key] }) => rs256(input, key) },
  'unknown-key': { alg: 'RS256', signature: (input) => rs256(input, unknownKey()) },
  none: { alg: 'none', signature: () => '' },
  hs256: { alg: 'HS256', signature: (input, _, client) => hs256(input, client.clientSecret) },
  'hs256-public-key': {
    alg: 'HS256',
    signature: (input, { keys: [key] }) => hs256(input, publicPem(key)),
  },
};

// What goes wrong with tokens from now on. `sub` says with whose (without it: with all), `claims` and
// `header` are put over the true ones (null takes one out), `sign` names a way to sign.
export function planTampering(state, { sub = '*', claims = {}, header = {}, sign = 'key' }) {
  if (!SIGNING[sign]) throw new Error(`sign is one of ${Object.keys(SIGNING).join(', ')}`);
  state.tampering.set(sub, { claims, header, sign });
}

export function tamper(state, token, client) {
  const [header, claims] = token.split('.').slice(0, 2).map(decode);
  const plan = state.tampering.get(claims.sub) ?? state.tampering.get('*');
  if (!plan) return token;
  const { alg, signature } = SIGNING[plan.sign];
  const input = [
    encode(overlaid({ ...header, alg }, plan.header)),
    encode(overlaid(claims, plan.claims)),
  ].join('.');
  return `${input}.${signature(input, state, client)}`;
}

function overlaid(object, changes) {
  const entries = Object.entries({ ...object, ...changes });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));

const rs256 = (input, jwk) =>
  sign('RSA-SHA256', input, { key: jwk, format: 'jwk' }).toString('base64url');
const hs256 = (input, secret) => createHmac('sha256', secret).update(input).digest('base64url');
const publicPem = (jwk) =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });

let unknown;
const unknownKey = () => (unknown ??= newKey());
