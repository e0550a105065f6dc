// All races of a profile, newest first, in pages.

import { get } from '../api.js';
import { GRADES, placeInWords } from '../sentences.js';
import { h, trouble } from '../ui.js';

const SIZE = 20;

const IS_NARROW = matchMedia('(max-width: 40rem)').matches;

const TYPES = ['alone', 'race', 'team'];

export function historyTable() {
  const place = h('div', { class: 'history', role: 'group', tabindex: 0, 'aria-label': 'Races, newest first' });
  const turn = async (page) => {
    try {
      place.replaceChildren(...pageOf(await get(`/profile/history?page=${page}&size=${SIZE}`), page, turn));
    } catch (failure) {
      place.replaceChildren(trouble(failure, () => turn(page)));
    }
  };
  turn(1);
  return place;
}

function pageOf({ total, has_prev_page: newer, has_next_page: older, data }, page, turn) {
  const heads = ['When', 'WPM', 'Raw', 'Accuracy', 'Place', 'Checked'].map((name) => h('th', { scope: 'col' }, name));
  const table = h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, data.map(row)));
  const button = (label, to, enabled) =>
    h('button', { type: 'button', disabled: !enabled, onclick: () => turn(to) }, label);
  const pages = Math.ceil(total / SIZE);
  const ways = h(
    'p',
    { class: 'ways' },
    button('Newer', page - 1, newer),
    h('span', {}, `Page ${page} of ${pages}`),
    button('Older', page + 1, older),
  );
  return pages > 1 ? [table, ways] : [table];
}

function row(race) {
  const { game_type: type, wpm, wpm_raw: raw, accuracy, finished_at: at, grade } = race;
  const when = new Date(at).toLocaleString([], { dateStyle: IS_NARROW ? 'short' : 'medium', timeStyle: 'short' });
  const place = type === 1 ? placeInWords(race) : TYPES[type];
  const cells = [wpm.toFixed(1), raw.toFixed(1), `${accuracy.toFixed(1)}%`, place, GRADES[grade] ?? '–'];
  return h('tr', {}, h('td', {}, h('time', { datetime: at }, when)), cells.map((text) => h('td', {}, text)));
}
