// Lobbies of friends: the link, and ways to share it.

import { get, post } from '../api.js';
import { go, here } from '../router.js';
import { qrCode } from '../qr.js';
import * as store from '../store.js';
import { h } from '../ui.js';

const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])$/;
const SAME_NETWORK = 'It works for everyone on the same network as this computer.';
const HERE_ONLY =
  'This link works on this computer only. To invite others, open this page at its network address.';

// How this player came to a lobby of friends: `made` it, or `again` after a race; null by its link.
export const cameBy = (token, way) => store.save('invite', { token, way });

export function wayTo(token) {
  const known = store.load('invite');
  return known?.token === token ? known.way : null;
}

export async function playWithFriends() {
  const isHere = here();
  const { invite_token: token } = await post('/lobby/invite');
  cameBy(token, 'made');
  if (isHere()) go(`#/join/${token}`);
}

// The origin at which others reach this page; null if they cannot. `localhost` does not work on a phone, so there it is the
// address in the local network.
export async function originForOthers() {
  if (!LOCAL.test(location.hostname)) return location.origin;
  const { address } = await get('/lobby/address').catch(() => ({}));
  return address ? `${location.protocol}//${address}${location.port && `:${location.port}`}` : null;
}

export function inviteLink(token) {
  let link = `${location.origin}/#/join/${token}`;
  const input = h('input', { id: 'link', readonly: true, value: link, onfocus: () => input.select() });
  const note = h('p', { class: 'small' });
  const code = h('div', { class: 'code' });
  const copied = h('span', { class: 'copied', role: 'status' });
  const copy = async () => {
    copied.textContent = (await copyText(link, input)) ? 'Copied.' : 'Copy it from the box above.';
  };
  const share = () => navigator.share({ title: 'typephoon', text: 'Race me at typing', url: link });
  const show = async () => {
    if (LOCAL.test(location.hostname)) {
      const origin = await originForOthers();
      note.textContent = origin ? SAME_NETWORK : HERE_ONLY;
      if (!origin) return;
      link = `${origin}/#/join/${token}`;
      input.value = link;
    }
    code.replaceChildren(await qrCode(link), h('p', { class: 'small' }, 'Or scan this code with a phone.'));
  };
  // The link works without the code.
  show().catch(() => {});
  return h(
    'div',
    { class: 'invite' },
    h('label', { for: 'link' }, 'Send this link to your friends'),
    h(
      'div',
      { class: 'row' },
      input,
      h('button', { type: 'button', onclick: copy }, 'Copy'),
      // Dismissing the share sheet is not an error.
      navigator.share && h('button', { type: 'button', onclick: () => share().catch(() => {}) }, 'Share'),
    ),
    copied,
    note,
    code,
  );
}

// On plain HTTP browsers offer no clipboard, only the old command.
export async function copyText(text, input) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    input.focus();
    input.select();
    return document.execCommand('copy');
  }
}
