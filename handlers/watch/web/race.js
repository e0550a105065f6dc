// In a race: the link for spectators, and how many there are.

import { get } from '/web/api.js';
import { style } from '/web/slots.js';
import { h } from '/web/ui.js';
import { shareButton, watchers } from './share.js';

export async function show(place, host) {
  style('/web/modules/watch/watch.css');
  const number = h('span', { class: 'watchers', role: 'status' });
  const end = host.hear('SPECTATORS', ({ count }) => (number.textContent = watchers(count)));
  const { link, spectators } = await get(`/watch?game_id=${host.gameId}`).catch(() => ({ link: null, spectators: 0 }));
  number.textContent ||= watchers(spectators);
  if (link !== null) place.append(h('p', { class: 'small watch' }, shareButton(link), number));
  return end;
}
