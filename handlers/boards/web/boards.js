// The page of the boards: the best races of today, of this week and of all time.

import { get } from '/web/api.js';
import { GRADES, sentence } from '/web/sentences.js';
import { style } from '/web/slots.js';
import { action, h, put } from '/web/ui.js';
import { inWords, kinds } from './kinds.js';

const PERIODS = { day: 'Today', week: 'This week', all: 'All time' };

export async function show(main) {
  style('/web/modules/boards/boards.css');
  const chosen = { period: 'day', kind: 'words', grade: '' };
  const place = h('div', { 'aria-live': 'polite' });
  let asked = 0;
  const draw = async () => {
    asked += 1;
    const mine = asked;
    try {
      const page = await get(`/boards?${query(chosen)}`);
      if (mine === asked) place.replaceChildren(...board(page, chosen));
    } catch ({ code }) {
      if (mine === asked) place.replaceChildren(h('p', { class: 'failed', role: 'alert' }, sentence(code)));
    }
  };
  const period = ([value, name]) => {
    const choose = () => draw((chosen.period = value));
    const input = h('input', { type: 'radio', name: 'period', value, checked: value === chosen.period, onchange: choose });
    return h('label', { class: 'tick' }, input, name);
  };
  const kind = h('select', { 'aria-label': 'Kind of race', onchange: () => draw((chosen.kind = kind.value)) });
  const filter = () => draw((chosen.grade = verified.checked ? 'verified' : ''));
  const verified = h('input', { type: 'checkbox', onchange: filter });
  put(
    main,
    h('h1', {}, 'Boards'),
    h('p', { class: 'lead' }, 'The best race of each player. Only players with an account are listed.'),
    h('fieldset', { class: 'choices' }, h('legend', {}, 'Period'), Object.entries(PERIODS).map(period)),
    h('p', { class: 'choice' }, kind, h('label', { class: 'tick' }, verified, 'Verified results only')),
    place,
  );
  kind.append(...(await kinds(get)).map((value) => h('option', { value, selected: value === chosen.kind }, inWords(value))));
  await draw();
}

const query = ({ period, kind, grade }) => `period=${period}&kind=${kind}${grade && `&grade=${grade}`}`;

function board({ rows, next }, chosen) {
  if (rows.length === 0) return [h('p', {}, 'No races yet. ', h('a', { href: '#/lobby' }, 'Be the first'))];
  const body = h('tbody', {}, rows.map(row));
  const heads = ['Place', 'Player', 'WPM', 'Accuracy', 'Checked', 'Date'].map((name) => h('th', { scope: 'col' }, name));
  const table = h('table', { class: 'board' }, h('thead', {}, h('tr', {}, heads)), body);
  let cursor = next;
  // As it is now: another board may be chosen meanwhile.
  const address = query(chosen);
  const more = action('Show more', async () => {
    const page = await get(`/boards?${address}&cursor=${encodeURIComponent(cursor)}`);
    body.append(...page.rows.map(row));
    cursor = page.next;
    if (cursor === null) more.remove();
  });
  return cursor === null ? [table] : [table, h('p', { class: 'ways' }, more)];
}

const row = ({ rank, name, wpm, acc, grade, finished_at: at, own }) =>
  h(
    'tr',
    { class: own ? 'own' : null },
    h('td', {}, `${rank}`),
    h('th', { scope: 'row' }, name, own && h('span', { class: 'mark' }, 'you')),
    h('td', {}, wpm.toFixed(1)),
    h('td', {}, `${acc.toFixed(1)}%`),
    h('td', {}, GRADES[grade] ?? '–'),
    h('td', {}, new Date(at).toLocaleDateString([], { dateStyle: 'medium' })),
  );
