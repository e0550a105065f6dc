// The page of the daily challenge: the time left, the ways into its race, and the board of today or yesterday.

import { get } from '/web/api.js';
import { countDown, deadlineIn } from '/web/countdown.js';
import { playWithFriends } from '/web/pages/invite.js';
import { go } from '/web/router.js';
import { GRADES, nth, sentence } from '/web/sentences.js';
import { style } from '/web/slots.js';
import * as store from '/web/store.js';
import { action, h, put } from '/web/ui.js';

const DAY = 24 * 3600 * 1000;

const DAYS = { today: 'Today', yesterday: 'Yesterday' };

// The next lobby of this player is one of the daily challenge.
const forDaily = (enter) => () => {
  store.save('extra', { daily: true });
  return enter();
};

export async function show(main) {
  style('/web/modules/daily/daily.css');
  const place = h('div', { 'aria-live': 'polite' });
  const left = h('p', { class: 'daily-left' });
  let stop = () => {};
  let today = null;
  let asked = 0;
  const draw = async (choice) => {
    asked += 1;
    const mine = asked;
    try {
      const query = choice === 'yesterday' && today ? `?day=${dayBefore(today)}` : '';
      const page = await get(`/daily${query}`);
      if (mine !== asked) return;
      if (query === '') {
        today = page.day;
        stop();
        stop = countDown(deadlineIn(page.seconds_left), (seconds) => (left.textContent = inWords(seconds)));
      }
      place.replaceChildren(...board(page, query));
    } catch ({ code }) {
      if (mine === asked) place.replaceChildren(h('p', { class: 'failed', role: 'alert' }, sentence(code)));
    }
  };
  const tick = ([value, name]) => {
    const input = h('input', { type: 'radio', name: 'day', value, checked: value === 'today', onchange: () => draw(value) });
    return h('label', { class: 'tick' }, input, name);
  };
  put(
    main,
    h('h1', {}, 'Daily challenge'),
    h('p', { class: 'lead' }, 'One text a day, the same for everyone. Race it as often as you like: your best race counts.'),
    left,
    h(
      'p',
      { class: 'ways' },
      action("Race today's text", forDaily(() => go('#/solo')), { class: 'primary' }),
      action('With friends', forDaily(playWithFriends)),
    ),
    h('fieldset', { class: 'choices' }, h('legend', {}, 'Board'), Object.entries(DAYS).map(tick)),
    place,
  );
  await draw('today');
  return () => {
    asked += 1;
    stop();
  };
}

const dayBefore = (day) => new Date(Date.parse(day) - DAY).toISOString().slice(0, 10);

function inWords(seconds) {
  if (seconds === 0) return 'There is a new text: reload the page.';
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const two = (number) => String(number).padStart(2, '0');
  return `Time left: ${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

function board({ rows, own, next }, query) {
  if (rows.length === 0) return [h('p', {}, query === '' ? 'No results yet today.' : 'No results on this day.')];
  const place = own && h('p', {}, `Your place: ${own.rank === null ? 'after the 10,000th' : nth(own.rank)}, ${own.wpm.toFixed(1)} WPM.`);
  const body = h('tbody', {}, rows.map(row));
  const heads = ['Place', 'Player', 'WPM', 'Accuracy', 'Checked'].map((name) => h('th', { scope: 'col' }, name));
  const table = h('table', { class: 'daily-board' }, h('thead', {}, h('tr', {}, heads)), body);
  let cursor = next;
  const more = action('Show more', async () => {
    const page = await get(`/daily${query ? `${query}&` : '?'}cursor=${encodeURIComponent(cursor)}`);
    body.append(...page.rows.map(row));
    cursor = page.next;
    if (cursor === null) more.remove();
  });
  return [place, table, cursor !== null && h('p', { class: 'ways' }, more)].filter(Boolean);
}

const row = ({ rank, name, wpm, acc, grade, own }) =>
  h(
    'tr',
    { class: own ? 'own' : null },
    h('td', {}, `${rank}`),
    h('th', { scope: 'row' }, name, own && h('span', { class: 'mark' }, 'you')),
    h('td', {}, wpm.toFixed(1)),
    h('td', {}, `${acc.toFixed(1)}%`),
    h('td', {}, GRADES[grade] ?? '–'),
  );
