// The player's place on the board of the day after a race of the daily challenge, and the next attempt.

import { get } from '/web/api.js';
import { nth } from '/web/sentences.js';
import { action, h } from '/web/ui.js';

export function show(place, host) {
  const { gameId, kind, race } = host;
  if (kind !== 'solo' && kind !== 'friends') return undefined;
  let isShown = false;
  const read = async () => {
    // The server knows the result once it is ranked.
    if (isShown || !race.me?.finished) return;
    isShown = true;
    const { day, own } = await get(`/daily/standing?game_id=${gameId}`).catch(() => ({ day: null }));
    if (day === null) return;
    const words = own?.rank ? `Daily challenge: ${nth(own.rank)} with ${own.wpm.toFixed(1)} WPM. ` : 'Daily challenge. ';
    place.replaceChildren(
      h('p', {}, words, h('a', { href: '#/daily' }, 'Board of the day')),
      h('p', {}, action('Try the daily challenge again', () => host.again({ daily: true }))),
    );
  };
  read();
  return race.listen(() => read());
}
