// The page of organisers: results under suspicion, and those that are judged. Each leads to its replay, and is struck or cleared
// with a reason.

import { get, post } from '/web/api.js';
import { GRADES, sentence } from '/web/sentences.js';
import { style } from '/web/slots.js';
import { action, h, put, say } from '/web/ui.js';

const LISTS = { false: 'Under suspicion', true: 'Judged' };

const WHY = {
  no_edits: 'The page sends positions, not edits.',
  not_whole: 'The keys on record do not lead to the end of the text.',
  clock_off: "The last keys arrived late, or the device's clock is off.",
  other_figures: 'The result differs from the recorded keys.',
  signals: null,
  not_seen: 'The server has seen too few keys.',
  pasted: 'Several words came at once.',
  too_even: 'The rhythm is unusually even.',
  too_fast: 'It is faster than any person types.',
  flawless: 'So long a text without a single mistake is rare.',
  repeated: 'The keys came at the same moments as in an earlier race.',
};

// The replay that is shown beside the signals: at most one, since it listens to the keyboard.
let shown = null;

function hide() {
  shown?.player.end();
  shown?.player.element.remove();
  shown?.button.replaceChildren('Show the replay');
  shown = null;
}

async function showReplay(button, place, { link, result_id: id }) {
  const isOpen = shown?.button === button;
  hide();
  if (isOpen) return;
  style('/web/modules/recorder/recorder.css');
  const [{ Player }, replay] = await Promise.all([import('/web/modules/recorder/player.js'), get(`/recordings/${link}`)]);
  // The list has been drawn again, or the page was left.
  if (!place.isConnected) return;
  hide();
  const player = new Player(replay, link, (it) => it.result_id === id);
  // The page has a heading.
  player.heading.hidden = true;
  shown = { player, button };
  button.replaceChildren('Hide the replay');
  place.append(player.element);
}

export async function show(main) {
  style('/web/modules/review/review.css');
  const place = h('div', { 'aria-live': 'polite' });
  let judged = 'false';
  let asked = 0;
  const draw = async () => {
    asked += 1;
    const mine = asked;
    // The list of before takes no more input: what was typed into it would be lost.
    hide();
    place.replaceChildren();
    try {
      const page = await get(`/review/results?judged=${judged}`);
      if (mine === asked) place.replaceChildren(...list(page, judged));
    } catch ({ code }) {
      const words = code === 'NOT_PERMITTED' ? 'This page is for organisers.' : sentence(code);
      if (mine === asked) place.replaceChildren(h('p', { class: 'failed', role: 'alert' }, words));
    }
  };
  const choice = ([value, name]) => {
    const choose = () => draw((judged = value));
    const input = h('input', { type: 'radio', name: 'judged', value, checked: value === judged, onchange: choose });
    return h('label', { class: 'tick' }, input, name);
  };
  put(
    main,
    h('h1', {}, 'Fair-play review'),
    h('p', { class: 'lead' }, 'A struck result leaves boards and ratings until it is cleared. The player can read the reason.'),
    h('fieldset', { class: 'choices' }, h('legend', {}, 'Results'), Object.entries(LISTS).map(choice)),
    place,
  );
  await draw();
  return hide;
}

function list({ results, next }, judged) {
  if (results.length === 0) return [h('p', {}, 'None.')];
  const rows = h('ul', { class: 'review' }, results.map(row));
  let cursor = next;
  const more = action('Show more', async () => {
    const page = await get(`/review/results?judged=${judged}&cursor=${encodeURIComponent(cursor)}`);
    rows.append(...page.results.map(row));
    cursor = page.next;
    if (cursor === null) more.remove();
  });
  return cursor === null ? [rows] : [rows, h('p', { class: 'ways' }, more)];
}

function row(result) {
  const { result_id: id, link, name, finished_at: at, wpm, acc, grade, why, verdict } = result;
  const when = new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  const state = h('p', { class: 'state', role: 'status' });
  const tell = (it) => (state.textContent = it ? `${it.struck ? 'Struck' : 'Cleared'}: ${it.reason}` : '');
  const reason = h('input', { type: 'text', maxlength: 300, 'aria-label': `Reason, for ${name}`, placeholder: 'Reason' });
  const judge = (struck) => async () => {
    if (reason.value.trim() === '') {
      say('Give a reason.', true);
      return reason.focus();
    }
    const decided = await post('/review/verdicts', { result_id: id, struck, reason: reason.value });
    tell(decided);
    return undefined;
  };
  tell(verdict);
  const replay = h('div', { 'aria-live': 'off' });
  const open = action('Show the replay', () => showReplay(open.querySelector('button'), replay, result));
  const signs = why.map((code) => (code in WHY ? WHY[code] : code)).filter(Boolean);
  return h(
    'li',
    { 'data-result': id },
    h('p', {}, h('strong', {}, name), ` – ${wpm.toFixed(1)} WPM, ${acc.toFixed(1)}%, ${GRADES[grade] ?? 'No grade'}, `, h('time', { datetime: at }, when)),
    signs.length > 0 && h('p', { class: 'why' }, signs.join(' ')),
    state,
    h(
      'p',
      { class: 'ways' },
      open,
      h('a', { href: `#/replays/${link}` }, `Replay of ${name}`),
      reason,
      action('Strike', judge(true)),
      action('Clear', judge(false)),
    ),
    replay,
  );
}
