// Sets up `oidc-provider`: code flow with PKCE alone, claims in the id token, records in memory.

import { randomUUID } from 'node:crypto';

import Provider, { interactionPolicy } from 'oidc-provider';

import { claimsOf } from './login.mjs';
import { tamper } from './tokens.mjs';

// Cookies know no ports: the server under test is 127.0.0.1 as well, and its cookies must not meet
// these.
const COOKIES = {
  session: 'openid_session',
  interaction: 'openid_interaction',
  resume: 'openid_resume',
};
const COOKIE_KEYS = [randomUUID()];

const HOUR = 3600;

// Google lets the player choose an account when it is asked to (`prompt=select_account`). The library
// knows of no such prompt, and would refuse the request.
function policy() {
  const prompts = interactionPolicy.base();
  prompts.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return prompts;
}

export function buildIssuer(state) {
  const { issuer, clients, keys, codeTtl, records, names } = state;
  const provider = new Provider(issuer, {
    adapter: (model) => new Records(model, records),
    jwks: { keys: structuredClone(keys) },
    clients: clients.map((client) => ({ ...client })),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    scopes: ['openid', 'email', 'profile'],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username'],
    },
    // Without it the claims of scopes are to be fetched from /me; at Google they are in the token.
    conformIdTokenClaims: false,
    findAccount: (_, sub) =>
      names.has(sub)
        ? { accountId: sub, claims: () => claimsOf(sub, names.get(sub)) }
        : undefined,
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    interactions: { policy: policy(), url: (_, { uid }) => `/interaction/${uid}` },
    renderError: (ctx, error) => {
      ctx.body = error;
    },
    cookies: {
      keys: COOKIE_KEYS,
      names: COOKIES,
      long: { httpOnly: true, sameSite: 'lax', signed: true, secure: false },
      short: { httpOnly: true, sameSite: 'lax', signed: true, secure: false },
    },
    ttl: {
      AccessToken: HOUR,
      AuthorizationCode: codeTtl,
      Grant: HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      Session: HOUR,
    },
  });

  provider.on('server_error', (_, error) => console.error(error));
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== '/token' || !ctx.body?.id_token) return;
    ctx.body = { ...ctx.body, id_token: tamper(state, ctx.body.id_token, ctx.oidc.client) };
  });
  return provider;
}

// Refuses clients that the provider would refuse. It looks at a client when that one first comes,
// too late for the test that got it wrong.
export async function checkClients(state, clients) {
  const { Client } = buildIssuer({ ...state, clients });
  await Promise.all(clients.map((client) => Client.find(client.client_id)));
}

// Takes the session out of the cookies of a request. A session would log its account in again
// without asking, and a test could not become somebody else without a new cookie jar.
export function forgetSession(req) {
  req.headers.cookie = (req.headers.cookie ?? '')
    .split(/; */)
    .filter((pair) => !pair.startsWith(COOKIES.session))
    .join('; ');
}

// What the provider keeps of one model, in the one map that outlives it. Nothing is ever thrown
// out for its age: the provider looks at `exp` itself, and a test does not last.
class Records {
  #model;
  #records;

  constructor(model, records) {
    this.#model = model;
    this.#records = records;
  }

  #key(id) {
    return `${this.#model}:${id}`;
  }

  async upsert(id, payload) {
    this.#records.set(this.#key(id), payload);
  }

  async find(id) {
    return this.#records.get(this.#key(id));
  }

  async findByUid(uid) {
    return [...this.#records.values()].find((it) => it.kind === this.#model && it.uid === uid);
  }

  async consume(id) {
    this.#records.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.#records.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of this.#records) {
      if (payload.grantId === grantId) this.#records.delete(key);
    }
  }
}

// Lets all codes expire that have been handed out and not been used. Returns how many.
export function expireCodes(records) {
  const codes = [...records.values()].filter((it) => it.kind === 'AuthorizationCode');
  const open = codes.filter((code) => !code.consumed);
  for (const code of open) code.exp = 1;
  return open.length;
}
