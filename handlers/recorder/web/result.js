// What a result is based on, and the way to its replay.

import { get } from '/web/api.js';
import { afterResult } from '/web/slots.js';
import { h } from '/web/ui.js';
import { inWords, signedLink } from './grades.js';

export function show(place, { gameId, race }) {
  // The result may be on its way.
  return afterResult(race, () => race.me?.finished, async () => {
    const { recordings } = await get(`/recordings?game_id=${gameId}`).catch(() => ({ recordings: [] }));
    const [recording] = recordings;
    if (!recording?.grade) return false;
    const link = h('a', { href: `#/replays/${recording.link}` }, 'Watch the replay');
    place.replaceChildren(h('p', { class: 'recorded' }, `${inWords(recording)} `, link, ' ', signedLink(recording)));
    return true;
  });
}
