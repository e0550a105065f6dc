// What a result is based on, and the way to its replay.

import { get } from '/web/api.js';
import { style } from '/web/slots.js';
import { h } from '/web/ui.js';
import { gradeMark, inWords } from './grades.js';

// The result may be on its way: asked again after these pauses, in milliseconds.
const PAUSES = [500, 1_500, 4_000];

export function show(place, { gameId, race }) {
  style('/web/modules/recorder/recorder.css');
  let isLeft = false;
  let isAsked = false;
  let timer = null;
  const read = async (tries) => {
    const { recordings } = await get(`/recordings?game_id=${gameId}`).catch(() => ({ recordings: [] }));
    if (isLeft) return;
    const [recording] = recordings;
    if (recording?.grade) draw(recording);
    else if (tries < PAUSES.length) timer = setTimeout(() => read(tries + 1), PAUSES[tries]);
  };
  const draw = (recording) => {
    const words = h('span', {}, ` ${inWords(recording).replace(/^\w+: /, '')} `);
    const link = h('a', { href: `#/replays/${recording.link}` }, 'Watch the replay');
    place.replaceChildren(h('p', { class: 'recorded' }, gradeMark(recording), words, link));
  };
  const look = () => {
    if (isAsked || !race.me?.finished) return;
    isAsked = true;
    read(0);
  };
  look();
  const end = race.listen(look);
  return () => {
    isLeft = true;
    clearTimeout(timer);
    end();
  };
}
