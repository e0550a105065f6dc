// The kind of text in a lobby of friends: the host chooses, the others read which it is.

import { get, post } from '/web/api.js';
import { sentence } from '/web/sentences.js';
import { h } from '/web/ui.js';
import { controls, inWords, offered } from './kinds.js';

export async function show(place, host) {
  if (host.kind !== 'friends') return undefined;
  const kinds = await offered();
  let shown = null;
  const send = (choice) => post('/texts/choice', { game_id: host.gameId(), ...choice });
  const read = async () => {
    if (host.gameId() === null || host.players().length === 0) return;
    const { kind, language, own } = await get(`/texts/choice?game_id=${host.gameId()}`);
    const now = JSON.stringify([kind, language, host.isHost() || own]);
    if (now === shown) return;
    shown = now;
    if (host.isHost()) place.replaceChildren(...forHost(kinds, { kind, language, own }, send));
    else place.replaceChildren(h('p', { class: 'small' }, inWords({ kind, language })));
  };
  // The lobby may have closed meanwhile.
  const look = () => read().catch(() => {});
  const ends = ['players', 'TEXT_KIND_CHOSEN'].map((event) => host.hear(event, look));
  look();
  return () => ends.forEach((end) => end());
}

function forHost(kinds, { kind, language, own }, send) {
  const failed = h('p', { class: 'failed', role: 'alert' });
  const text = h('textarea', { rows: 4, maxlength: 2000, 'aria-label': 'Your own text' });
  text.value = own ?? '';
  const tell = async (choice) => {
    failed.textContent = '';
    await send(choice).catch(({ code }) => (failed.textContent = code === 'VALIDATION_ERROR' ? UNTYPEABLE : sentence(code)));
  };
  const use = h('button', { type: 'button', onclick: () => tell({ kind: 'own', own: text.value }) }, 'Use this text');
  const form = h('div', { hidden: kind !== 'own' }, text, h('p', { class: 'ways' }, use));
  const choose = (choice) => {
    form.hidden = choice.kind !== 'own';
    // A text of one's own is sent when it is entered.
    if (choice.kind === 'own') text.focus();
    else tell(choice);
  };
  return [controls(kinds, { kind, language }, choose, 'Kind of text'), form, failed];
}

const UNTYPEABLE = 'Enter 1 to 200 words (2,000 characters at most), without emoji.';
