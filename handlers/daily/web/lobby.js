// Tells the players of a lobby that they will race the text of the day.

import { get } from '/web/api.js';
import { h } from '/web/ui.js';

export function show(place, host) {
  if (host.kind !== 'solo' && host.kind !== 'friends') return undefined;
  let isKnown = false;
  // The lobby keeps its text, so one answer is enough; the player has a seat once the players were read.
  return host.hear('players', async () => {
    if (isKnown) return;
    isKnown = true;
    const { day } = await get(`/daily/standing?game_id=${host.gameId()}`).catch(() => ({ day: null }));
    if (day !== null) place.replaceChildren(h('p', {}, `Daily challenge of ${day}: all races of this day have this text.`));
  });
}
