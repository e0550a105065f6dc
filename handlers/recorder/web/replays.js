// The page of replays: the player's recorded races, or one race again (`#/replays/LINK`), for anyone with the link.

import { get } from '/web/api.js';
import { nth, sentence } from '/web/sentences.js';
import { slot, style } from '/web/slots.js';
import { action, h, put } from '/web/ui.js';
import { gradeMark } from './grades.js';
import { Player } from './player.js';

const DATE = matchMedia('(max-width: 40rem)').matches
  ? { month: 'numeric', day: 'numeric', hour: 'numeric', minute: '2-digit' }
  : { dateStyle: 'medium', timeStyle: 'short' };

export function show(main, link) {
  style('/web/modules/recorder/recorder.css');
  return link ? showReplay(main, link) : showList(main);
}

async function showReplay(main, link) {
  const loading = put(main, h('p', { class: 'loading' }, 'Loading…')).lastChild;
  try {
    const replay = await get(`/recordings/${link}`);
    const player = new Player(replay, link);
    const modules = slot('replay', { link, replay, chosen: () => player.chosen });
    put(main, player.element, modules.element);
    player.focus();
    return () => {
      modules.end();
      player.end();
    };
  } catch ({ code }) {
    const words = code === 'GAME_NOT_FOUND' ? "This replay doesn't exist or has expired." : sentence(code);
    put(main, h('h1', {}, 'Replay'), h('p', { class: 'failed', role: 'alert' }, words));
    return undefined;
  } finally {
    loading.remove();
  }
}

async function showList(main) {
  const place = h('div', { 'aria-live': 'polite' });
  put(main, h('h1', {}, 'Replays'), h('p', { class: 'lead' }, 'Your recorded races, newest first.'), place);
  try {
    place.replaceChildren(...list(await get('/recordings')));
  } catch ({ code }) {
    const isNew = code === 'TOKEN_NOT_PROVIDED';
    place.replaceChildren(isNew ? nothing() : h('p', { class: 'failed', role: 'alert' }, sentence(code)));
  }
}

const nothing = () => h('p', {}, 'No races yet. ', h('a', { href: '#/lobby' }, 'Play one'));

function list({ recordings, next }) {
  if (recordings.length === 0) return [nothing()];
  const shown = table(recordings);
  let cursor = next;
  const more = action('Show more', async () => {
    const page = await get(`/recordings?cursor=${encodeURIComponent(cursor)}`);
    shown.querySelector('tbody').append(...page.recordings.map(row));
    cursor = page.next;
    if (cursor === null) more.remove();
  });
  return cursor === null ? [shown] : [shown, h('p', { class: 'ways' }, more)];
}

// The table in a box that scrolls where the screen is too narrow for it.
export function table(recordings) {
  const heads = ['When', 'WPM', 'Accuracy', 'Place', 'Checked', 'Replay'].map((name) => h('th', { scope: 'col' }, name));
  const rows = h('table', { class: 'recordings' }, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, recordings.map(row)));
  return h('div', { class: 'wide', role: 'group', tabindex: 0, 'aria-label': 'Replays, newest first' }, rows);
}

function row(recording) {
  const { link, started_at: at, wpm, acc, rank } = recording;
  const when = new Date(at).toLocaleString([], DATE);
  const cells = [wpm?.toFixed(1) ?? '–', acc === null ? '–' : `${acc.toFixed(1)}%`, rank === null ? '–' : nth(rank)];
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, h('time', { datetime: at }, when)),
    cells.map((text) => h('td', {}, text)),
    h('td', {}, gradeMark(recording)),
    h('td', {}, h('a', { href: `#/replays/${link}` }, 'Watch')),
  );
}
