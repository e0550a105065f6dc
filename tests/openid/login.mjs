// Who logs in: the account that the browser's cookie names, or the one whose name a human types into the form.
//
// The cookie is `openid_account=<sub>` or `openid_account=<sub>:<name>`, both percent-encoded, or
// `openid_account=deny` for somebody who declines. It belongs to the browser and not to the
// provider, so any number of tests can log in at once. Being known is consent, and a choice: one step
// does all that was asked.

import { text } from 'node:stream/consumers';

export async function interact(provider, state, req, res) {
  const interaction = await provider.interactionDetails(req, res);
  const choice = req.method === 'POST' ? await chosenInForm(req) : chosenByCookie(req);
  if (!choice) {
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    res.end(FORM);
    return;
  }
  const result = choice.deny ? DENIED : await consent(provider, state, interaction, choice);
  await provider.interactionFinished(req, res, result);
}

const DENIED = { error: 'access_denied', error_description: 'the user declined' };

async function consent(provider, { names }, { params }, { sub, name }) {
  names.set(sub, name);
  const grant = new provider.Grant({ accountId: sub, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consented = { grantId: await grant.save() };
  return { login: { accountId: sub }, consent: consented, select_account: {} };
}

function chosenByCookie(req) {
  const [, value] = /(?:^|; *)openid_account=([^;]*)/.exec(req.headers.cookie ?? '') ?? [];
  if (!value) return undefined;
  if (value === 'deny') return { deny: true };
  const [sub, name = `User ${sub}`] = value.split(':').map(decodeURIComponent);
  return { sub, name };
}

// The same name is the same account.
async function chosenInForm(req) {
  const form = new URLSearchParams(await text(req));
  if (form.has('deny')) return { deny: true };
  const name = form.get('name')?.trim();
  return name ? { sub: encodeURIComponent(name.toLowerCase()), name } : undefined;
}

export function claimsOf(sub, name) {
  return {
    sub,
    name,
    email: `${encodeURIComponent(sub)}@example.test`,
    email_verified: true,
    preferred_username: name.toLowerCase().replaceAll(' ', ''),
  };
}

const FORM = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Log in</title>
<form method="post">
  <label>Name <input name="name" autocomplete="off" autofocus></label>
  <button>Log in</button>
  <button name="deny">Deny</button>
</form>
</html>
`;
