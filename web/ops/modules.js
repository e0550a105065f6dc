// The table of handler modules: cost, failures and switch of each.

import { at, duration, h, tell } from './dom.js';

const COLUMNS = ['state', 'handled', 'time', 'share', 'mean', 'errors', 'panics', 'slow', 'skipped', 'last'];
const NUMBERS = new Set(['handled', 'time', 'share', 'mean', 'errors', 'panics', 'slow', 'skipped']);

// Rows are updated in place, so that a button keeps the focus.
const rows = new Map();
// Whether there are no other pods; what each module is off for.
let alone = true;
const offs = new Map();

function row(name) {
  if (rows.has(name)) return rows.get(name);
  const cells = Object.fromEntries(COLUMNS.map((column) => [column, h('td', NUMBERS.has(column) ? { class: 'number' } : {})]));
  const button = h('button', { class: 'small' });
  button.addEventListener('click', () => ask(name));
  const made = { cells, button };
  at('modules').append(h('tr', {}, h('th', { scope: 'row' }, name), ...Object.values(cells), h('td', {}, button)));
  rows.set(name, made);
  return made;
}

function stateOf(off) {
  if (!off) return 'on';
  const where = off.everywhere ? 'on all pods ' : 'on this pod ';
  return `off ${alone ? '' : where}since ${off.since.slice(0, 19)}Z, by ${off.by}`;
}

export function showModules(figures, samples) {
  alone = figures.alone;
  const of = (name, metric) => samples.sum(`typephoon_handler_${metric}`, { module: name });
  const all = figures.modules.reduce((sum, { name }) => sum + of(name, 'duration_seconds_sum'), 0);
  for (const { name, off, last_panic: panic } of figures.modules) {
    const { cells, button } = row(name);
    const [handled, time] = [of(name, 'duration_seconds_count'), of(name, 'duration_seconds_sum')];
    const words = {
      state: stateOf(off),
      handled,
      time: duration(time),
      share: all > 0 ? `${((100 * time) / all).toFixed(1)}%` : '–',
      mean: duration(handled ? time / handled : undefined),
      errors: of(name, 'errors_total'),
      panics: of(name, 'panics_total'),
      slow: of(name, 'slow_total'),
      skipped: of(name, 'skipped_total'),
      last: panic ? `${panic.at} ${panic.text}${panic.trace ? ` (trace ${panic.trace})` : ''}` : '',
    };
    for (const column of COLUMNS) tell(cells[column], `${words[column]}`);
    for (const column of ['errors', 'panics', 'slow', 'skipped']) cells[column].classList.toggle('bad', words[column] > 0);
    cells.state.classList.toggle('bad', Boolean(off));
    offs.set(name, off);
    tell(button, off ? 'Switch on…' : 'Switch off…');
    button.setAttribute('aria-label', `Switch ${off ? 'on' : 'off'} ${name}`);
  }
  const left = figures.disabled.length > 0 ? `Disabled in the settings: ${figures.disabled.join(', ')}.` : '';
  tell(at('modules-disabled'), left);
}

const MEANS = {
  off: 'The module gets no events, frames or requests; its routes answer 503, and its sockets are closed and refused. Its timers wait.',
  on: 'Events that it missed while off are not repeated; its timers fire now.',
};

let asked;

function ask(name) {
  const off = offs.get(name);
  asked = { name, to: off ? 'on' : 'off' };
  at('switch-title').textContent = `Switch ${asked.to} ${name}?`;
  at('switch-what').textContent = MEANS[asked.to];
  at('switch-yes').textContent = `Switch ${asked.to}`;
  at('switch-pod').disabled = Boolean(off?.everywhere);
  at(off && !off.everywhere ? 'switch-pod' : 'switch-all').checked = true;
  at('switch-where').hidden = alone;
  at('switch').returnValue = 'no';
  at('switch').showModal();
}

at('switch').addEventListener('close', async () => {
  if (at('switch').returnValue !== 'yes') return;
  const where = !alone && at('switch-pod').checked ? 'pod' : 'all';
  const body = new URLSearchParams({ module: asked.name, to: asked.to, where });
  try {
    const answer = await (await fetch('/ops/switch', { method: 'POST', body })).json();
    at('switch-state').textContent = answer.ok ? `Done: ${answer.action} ${answer.target}.` : `Refused: ${answer.error.message}`;
  } catch {
    at('switch-state').textContent = 'The server is not responding.';
  }
});
