// The latest replays, on the profile.

import { get } from '/web/api.js';
import { style } from '/web/slots.js';
import { h } from '/web/ui.js';
import { table } from './replays.js';

// How many are shown; the page of replays has all.
const SHOWN = 5;

export async function show(place) {
  style('/web/modules/recorder/recorder.css');
  const { recordings, next } = await get(`/recordings?size=${SHOWN}`);
  if (recordings.length === 0) return;
  const all = next !== null && h('p', { class: 'ways' }, h('a', { href: '#/replays' }, 'All replays'));
  place.append(h('h2', {}, 'Latest replays'), table(recordings), all || '');
}
