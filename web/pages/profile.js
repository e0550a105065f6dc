// The profile: figures of the best, the last ten and all races, a graph, the list of races, and the account.

import { get } from '../api.js';
import { legend, lineChart } from '../chart.js';
import { go, here } from '../router.js';
import { whoAmI } from '../session.js';
import { slot } from '../slots.js';
import { h, put, trouble } from '../ui.js';
import { account } from './account.js';
import { historyTable } from './history.js';

export const title = 'Profile';

const SIZES = [10, 50, 100, 1000];

export function show(main) {
  main.append(h('h1', {}, 'Profile'));
  const isHere = here();
  const ends = [];
  fill(main, isHere, ends).catch((failure) => isHere() && main.append(trouble(failure, () => go('#/profile'))));
  return () => ends.forEach((end) => end());
}

async function fill(main, isHere, ends) {
  const me = await whoAmI();
  if (!isHere()) return;
  if (me === null || me.isGuest) {
    go('#/login', 'Log in to see your profile. Results of guests are not saved.');
    return;
  }
  const statistics = await get('/profile/statistics');
  if (!isHere()) return;
  main.querySelector('h1').textContent = me.name;
  const modules = slot('profile', { me });
  ends.push(modules.end);
  const hasRaces = statistics.total_games > 0;
  put(
    main,
    hasRaces && [cards(statistics), progressGraph(), h('section', {}, h('h2', {}, 'Races'), historyTable())],
    !hasRaces && h('p', {}, 'No races yet. Your speed shows up here after the first one. ', h('a', { href: '#/lobby' }, 'Play now')),
    modules.element,
    account(me),
    h('section', {}, h('h2', {}, 'Your data'), h('p', { class: 'ways' }, exports())),
  );
}

function cards(all) {
  const card = (name, wpm, acc) =>
    h('div', {}, h('dt', {}, name), h('dd', {}, `${wpm.toFixed(1)} WPM`, h('small', {}, `${acc.toFixed(1)}%`)));
  return h(
    'dl',
    { class: 'figures cards' },
    card('Best', all.wpm_best, all.acc_best),
    card('Last 10', all.wpm_avg_10, all.acc_avg_10),
    card('All', all.wpm_avg_all, all.acc_avg_all),
    h('div', {}, h('dt', {}, 'Races'), h('dd', { 'data-figure': 'races' }, `${all.total_games}`)),
  );
}

function progressGraph() {
  const place = h('div', { class: 'graph', 'aria-live': 'polite' });
  const size = h(
    'select',
    { id: 'size', onchange: () => draw() },
    SIZES.map((number) => h('option', { value: number, selected: number === 50 }, `Last ${number} races`)),
  );
  const draw = async () => {
    try {
      const { data } = await get(`/profile/graph?size=${size.value}`);
      place.replaceChildren(...chart(data));
    } catch (failure) {
      place.replaceChildren(trouble(failure, draw));
    }
  };
  draw();
  const choice = h('p', { class: 'choice' }, h('label', { for: 'size' }, 'Show '), size);
  return h('section', {}, h('h2', {}, 'Progress'), choice, place);
}

function chart(rows) {
  if (rows.length < 2) return [h('p', { class: 'small' }, 'The graph starts with your second race.')];
  const speeds = rows.map(({ wpm }) => wpm);
  const mean = (at) => {
    const window = speeds.slice(Math.max(0, at - 9), at + 1);
    return window.reduce((sum, it) => sum + it, 0) / window.length;
  };
  const lines = [
    { name: 'WPM', points: speeds.map((wpm, at) => [at + 1, wpm]) },
    { name: 'Average of 10', points: speeds.map((_, at) => [at + 1, mean(at)]) },
  ];
  const [first, last] = [speeds[0], speeds.at(-1)].map(Math.round);
  const summary = `Speed of the last ${rows.length} races: ${first} WPM in the first, ${last} in the last.`;
  const ends = [rows[0], rows.at(-1)].map(({ finished_at: at }) => day(at));
  return [lineChart(lines, ends, summary, { isTight: true }), legend(lines)];
}

const day = (at) => new Date(at).toLocaleDateString([], { dateStyle: 'medium' });

function exports() {
  const link = (label, query) => {
    const href = `/api/v1/profile/export${query}`;
    // The browser fetches the file itself, so the token is renewed before.
    const fetchIt = async (event) => {
      event.preventDefault();
      await whoAmI().catch(() => {});
      location.assign(href);
    };
    return h('a', { href, onclick: fetchIt }, label);
  };
  return [link('All my data (JSON)', ''), link('My races (CSV)', '?format=csv')];
}
