// The player's places on the boards after a race.

import { get } from '/web/api.js';
import { nth } from '/web/sentences.js';
import { h } from '/web/ui.js';

const PERIODS = { day: 'today', week: 'this week', all: 'of all time' };

export function show(place, { gameId, race }) {
  let isShown = false;
  const read = async () => {
    // The server knows the result once it is ranked.
    if (isShown || !race.me?.finished || race.me.unranked) return;
    isShown = true;
    const { standings } = await get(`/boards/standing?game_id=${gameId}`).catch(() => ({ standings: [] }));
    const best = standings.filter(({ rank, game_id: id }) => rank !== null && id === gameId);
    if (best.length === 0) return;
    const words = best.map(({ period, rank }) => `${nth(rank)} ${PERIODS[period]}`).join(', ');
    place.replaceChildren(h('p', {}, `On the boards: ${words}. `, h('a', { href: '#/boards' }, 'Boards')));
  };
  read();
  return race.listen(() => read());
}
