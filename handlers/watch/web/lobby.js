// In a lobby: the link for spectators. The host of a lobby of friends can forbid them.

import { get, post } from '/web/api.js';
import { sentence } from '/web/sentences.js';
import { style } from '/web/slots.js';
import { h } from '/web/ui.js';
import { shareButton, watchers } from './share.js';

export function show(place, host) {
  if (host.kind === 'solo') return undefined;
  style('/web/modules/watch/watch.css');
  const number = h('span', { class: 'watchers', role: 'status' });
  const failed = h('span', { class: 'failed', role: 'alert' });
  let shown = null;

  const read = async () => {
    if (host.gameId() === null || host.players().length === 0) return;
    const { link, allowed, spectators } = await get(`/watch?game_id=${host.gameId()}`);
    number.textContent = watchers(spectators);
    // Built anew only if it differs: the focus may be in it.
    const now = JSON.stringify([link, host.isHost()]);
    if (now === shown) return;
    shown = now;
    const choice = host.kind === 'friends' && (host.isHost() ? box(allowed) : !allowed && h('span', {}, 'No one else can watch this race.'));
    const parts = [choice, link !== null && shareButton(link), number, failed].filter(Boolean);
    place.replaceChildren(h('p', { class: 'small watch' }, parts));
  };

  function box(allowed) {
    const choose = async () => {
      failed.textContent = '';
      const choice = { game_id: host.gameId(), allowed: input.checked };
      await post('/watch', choice).catch(({ code }) => (failed.textContent = sentence(code)));
    };
    const input = h('input', { type: 'checkbox', checked: allowed, onchange: choose });
    return h('label', { class: 'tick' }, input, 'Others may watch');
  }

  // The lobby may have closed meanwhile.
  const look = () => read().catch(() => {});
  const ends = ['players', 'WATCH_CHOSEN'].map((event) => host.hear(event, look));
  ends.push(host.hear('SPECTATORS', ({ count }) => (number.textContent = watchers(count))));
  look();
  return () => ends.forEach((end) => end());
}
