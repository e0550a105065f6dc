// The result, live while others still type: the place, the player's figures, speed over the race, mistakes,
// and the next steps.

import { get, post } from '../api.js';
import { legend, lineChart } from '../chart.js';
import { celebrate } from '../joy.js';
import { consistency, slipsAt, slowest, speeds } from '../pace.js';
import { botsAhead, isCompany, placeOf, ranking } from '../players.js';
import { leaveRace, theRace } from '../race.js';
import { go, here } from '../router.js';
import { clock, count, nth, sentence } from '../sentences.js';
import { slot } from '../slots.js';
import { play } from '../sound.js';
import { Standings } from '../standings.js';
import { TextView, colour } from '../text.js';
import * as store from '../store.js';
import { mistyped } from '../typing.js';
import { action, bareName, h, keyHints, onEnter, onEscape, put, say, trouble as failed } from '../ui.js';
import { cameBy } from './invite.js';

export const title = 'Result';

export function show(main) {
  const race = theRace();
  if (race === null) {
    go('#/', 'This race is over.');
    return undefined;
  }
  const page = new ResultPage(main, race);
  page.enter();
  return () => page.leave();
}

class ResultPage {
  #ends = [];
  #isLeft = false;
  #shown = null;

  constructor(main, race) {
    this.main = main;
    this.race = race;
  }

  async enter() {
    const loading = put(this.main, h('p', { class: 'loading' }, 'Loading…')).lastChild;
    try {
      await this.race.open();
    } catch (failure) {
      if (!this.#isLeft) this.#fail(failure);
      return;
    } finally {
      loading.remove();
    }
    if (this.#isLeft) return;
    if (!this.race.isDone) return go('#/race');
    this.#build();
    // If this fails, the next poll has it.
    this.race.readResult().catch(() => {});
  }

  // The next race of the same people, or alone, with more in the query of its lobby.
  #again(query) {
    store.save('extra', query);
    return this.ways.meetAgain();
  }

  #fail(failure) {
    if (failure.passes) {
      this.main.append(h('h1', {}, 'Result'), failed(failure, () => go('#/result')));
      return;
    }
    leaveRace();
    go('#/', sentence(failure.code));
  }

  #build() {
    const { race } = this;
    this.heading = h('h1', { tabindex: -1 });
    this.state = h('p', { class: 'why', role: 'status' });
    this.figures = h('dl', { class: 'figures' });
    this.standings = new Standings(race.words, true);
    this.text = new TextView(race.words, race.lines);
    this.others = h('section', {}, h('h2', {}, 'Still typing'), this.text.element);
    this.call = h('div', { class: 'call', role: 'status' });
    this.ways = waysOn(race);
    const modules = slot('result', { ...race.host, again: (query) => this.#again(query) });
    this.#ends.push(modules.end);
    put(
      this.main,
      this.heading,
      this.state,
      race.record.claim && this.figures,
      this.call,
      this.ways.element,
      (race.record.kind !== 'solo' || race.players.length > 1) && h('section', {}, h('h2', {}, 'Players'), this.standings.element),
      modules.element,
      race.record.samples.length > 1 && graph(race),
      trouble(race.record),
      this.others,
    );
    this.#ends.push(
      race.listen(() => this.#show()),
      onEscape(() => go('#/')),
      onEnter((event) => (event.shiftKey ? this.ways.same : this.ways.first)?.click()),
    );
    if (race.limit !== null) this.#ends.push(catchLateKeys());
    this.#show();
    // Not a button, which a space typed out of habit would press.
    this.heading.focus({ preventScroll: true });
  }

  #show() {
    const { race } = this;
    const heading = headingOf(race);
    if (this.heading.textContent !== heading) {
      this.heading.textContent = heading;
      say(heading);
    }
    const state = stateOf(race);
    if (this.state.textContent !== state) this.state.textContent = state;
    this.#celebrate();
    this.#showCallers();
    if (race.record.claim) this.#showFigures(taken(race));
    this.standings.show(race, ranking(race.players, race.words, race.me));
    // Against the clock, all end at once.
    const typing = race.limit !== null ? [] : race.players.filter((it) => !it.finished && !it.away && it !== race.me);
    this.others.hidden = typing.length === 0 || race.ended !== null;
    if (!this.others.hidden) this.text.show(race.record.state, typing, null);
  }

  #showCallers() {
    const names = this.race.callers.map(bareName);
    if (names.length === 0 || !this.ways.same) return;
    const words = `${names.join(' and ')} ${names.length === 1 ? 'wants' : 'want'} a rematch.`;
    if (this.call.firstChild?.textContent === words) return;
    const join = action('Join', () => this.ways.meet(), { class: 'primary' });
    this.call.replaceChildren(h('p', {}, words), join);
  }

  // Once, for a win over another player, or a personal best; not when a result is shown again.
  #celebrate() {
    const { record, me, players, words } = this.race;
    if (!record.claim || record.isSeen || !me?.finished || me.unranked) return;
    const { place, of } = placeOf(me, players, words);
    const isWin = of > 1 && place === 1 && botsAhead(me, players) === 0;
    if (isWin || isBest(record)) celebrate(this.heading);
    play('done');
    this.race.see();
  }

  // Rebuilt only on a change, since rebuilding disturbs screen readers.
  #showFigures(figures) {
    const shown = JSON.stringify(figures);
    if (this.#shown === shown) return;
    this.#shown = shown;
    this.figures.replaceChildren(...ownFigures(figures, this.race.record));
  }

  leave() {
    this.#isLeft = true;
    for (const end of this.#ends) end();
    this.race.close();
  }
}

function headingOf({ me, players, record, words, limit }) {
  const plain = limit === null || record.state.done ? 'Finished' : "Time's up";
  const isDuel = players.length === 2 && players.some(({ ghost }) => ghost);
  if (isDuel && me?.finished && !me.unranked) return placeOf(me, players, words).place === 1 ? 'You beat the ghost' : 'The ghost was faster';
  if (record.kind === 'solo') return plain;
  if (!me?.finished || me.unranked) return plain;
  const { place, of, withBots } = placeOf(me, players, words);
  if (of < 2) return plain;
  const faster = withBots ? 0 : botsAhead(me, players);
  const behind = faster > 0 ? `, behind ${count(faster, 'bot', 'bots')}` : '';
  return `You are ${nth(place)} of ${of}${withBots ? ', against bots' : behind}`;
}

function stateOf({ refusal, record, me, limit }) {
  if (refusal) return sentence(refusal);
  if (me?.unranked) return sentence(me.unranked);
  if (isCountedLower(me, record.claim)) return FEWER;
  if (isCorrected(me, record.claim)) return LATE;
  if (me?.finished) return '';
  if (record.sent) return limit === null ? '' : 'Counting words…';
  return 'Sending your result…';
}

// Milliseconds in which keys may still be meant for the text, when the time has cut it short.
const HABIT = 1_500;

// A space would scroll the page.
function catchLateKeys() {
  const press = (event) => event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.preventDefault();
  const end = () => removeEventListener('keydown', press);
  addEventListener('keydown', press);
  setTimeout(end, HABIT);
  return end;
}

const LATE = 'Some keystrokes reached the server late, so it measured a lower speed than this page did.';

const FEWER = 'Some keystrokes reached the server late, so it counted fewer words than this page did.';

const isCountedLower = (me, claim) => Boolean(me?.finished && claim) && me.correct_words < claim.correct_words;

// Whether the server accepted visibly less than what this page computed.
const isCorrected = (me, claim) => Boolean(me?.finished && claim) && claim.wpm - me.wpm >= 0.1;

// The player's figures: those of the server, once it has accepted them.
function taken({ me, record: { claim } }) {
  if (!me?.finished) return claim;
  const { wpm, wpm_raw, acc, correct_words = claim.correct_words } = me;
  return { ...claim, wpm, wpm_raw, acc, correct_words };
}

// Against the clock, the best one has the most words.
const isBest = ({ best, claim }) => best > 0 && (claim.correct_words ?? claim.wpm) > best;

function ownFigures({ wpm, wpm_raw: raw, acc, seconds, correct_words: words }, { best, samples }) {
  const figure = (name, value, more) =>
    h('div', {}, h('dt', {}, name), h('dd', { 'data-figure': name }, value), more && h('dd', { class: 'more' }, more));
  const even = consistency(samples);
  const isTimed = words !== undefined;
  return [
    isTimed && figure('Words', words, againstBest(words, best, 0)),
    figure('WPM', wpm.toFixed(1), !isTimed && againstBest(wpm, best)),
    figure('Accuracy', `${acc.toFixed(1)}%`),
    figure('Raw WPM', raw.toFixed(1)),
    even !== null && figure('Consistency', `${even.toFixed(0)}%`),
    figure('Time', clock(seconds)),
  ].filter(Boolean);
}

function againstBest(value, best, digits = 1) {
  if (!best) return null;
  if (digits === 0 && value === best) return 'As many as your best';
  const change = Math.abs(value - best).toFixed(digits);
  return value > best ? `New best, up ${change}` : `${change} below your best`;
}

// The speed from second to second, with the seconds of wrong keys marked; others' lines can be switched on.
function graph({ record: { samples }, players, me }) {
  const others = players.filter(({ id }) => id !== me?.id && samples.some(({ rivals }) => rivals[id] > 0));
  const own = speeds(samples, (sample) => sample.right);
  const slips = new Set(slipsAt(samples));
  const marks = own.filter(([at]) => slips.has(at));
  const fast = own.map(([, wpm]) => Math.round(wpm));
  const summary =
    `Your speed, second by second: between ${Math.min(...fast)} and ${Math.max(...fast)} WPM, ` +
    `with wrong keys in ${count(marks.length, 'second', 'seconds')}.`;
  const ends = [own[0], own.at(-1)].map(([at]) => clock(at));
  const lines = [
    { name: 'WPM', points: own },
    { name: 'Raw WPM', points: speeds(samples, (sample) => sample.all) },
  ];
  const chart = h('div');
  const draw = (rivals) => {
    const theirs = rivals.map((player) => ({
      name: player.name,
      style: `player-${colour(player)}`,
      points: speeds(samples, ({ rivals: letters }) => letters[player.id] ?? 0),
    }));
    chart.replaceChildren(lineChart([...lines, ...theirs], ends, summary, { marks }));
  };
  draw([]);
  return h('section', {}, h('h2', {}, 'Speed over the race'), chart, legend(lines, marks.length > 0), choice(others, draw));
}

// A box for each of the others.
function choice(players, draw) {
  if (players.length === 0) return null;
  const shown = new Set();
  const box = (player) => {
    const change = ({ target }) => {
      if (target.checked) shown.add(player);
      else shown.delete(player);
      draw([...shown]);
    };
    const input = h('input', { type: 'checkbox', onchange: change });
    return h('label', { class: `player-${colour(player)}` }, input, h('span', { class: 'key' }), player.name);
  };
  return h('fieldset', { class: 'rivals' }, h('legend', {}, 'Compare with'), players.map(box));
}

// The words with mistakes, and the slowest ones.
function trouble({ state, ends }) {
  const wrong = mistyped(state).map(({ word, count: times }) =>
    h('li', {}, h('code', {}, word), ` ${count(times, 'mistake', 'mistakes')}`),
  );
  const slow = slowest(state.words, ends).map(({ word, wpm }) =>
    h('li', {}, h('code', {}, word), ` ${Math.round(wpm)} WPM`),
  );
  const list = (rows) => h('ul', { class: 'mistakes' }, rows);
  return h(
    'section',
    {},
    h('h2', {}, 'Mistakes'),
    wrong.length > 0 ? list(wrong) : h('p', {}, 'None. Well typed!'),
    slow.length > 0 && [h('h2', {}, 'Slowest words'), list(slow)],
  );
}

// The next steps: `first` is the button for Enter, `same` that for Shift+Enter, or null.
function waysOn({ record: { kind, gameId }, players, me, limit }) {
  const primary = { class: 'primary' };
  const anyone = (label, attributes) => action(label, () => go('#/lobby'), attributes);
  // After a race without other people there is no rematch, except through the link of a friends' lobby.
  const company = isCompany(players, me);
  const invitation = () =>
    company ? post('/lobby/rematch', { game_id: gameId }) : get(`/lobby/invite?game_id=${gameId}`);
  const meet = async () => {
    const isHere = here();
    const { invite_token: token } = await invitation();
    if (company) cameBy(token, 'again');
    if (isHere()) go(`#/join/${token}`);
  };
  const meetAgain = async () => (kind === 'solo' ? go('#/solo') : meet());
  const same = company && kind !== 'solo' && kind !== 'timed' && action(SAME, meet, kind === 'friends' ? primary : {});
  const ways = {
    open: () => [anyone('Play again', primary), same],
    friends: () => [same || action('Back to the lobby', meet, primary), anyone('Race others')],
    timed: () => [action('Again', () => go(`#/timed/${limit}`), primary), anyone('Race to the end of a text')],
    solo: () => [action('Again', () => go('#/solo'), primary), anyone('Race others')],
  };
  const all = put(h('p', { class: 'ways' }), ways[kind](), h('a', { href: '#/' }, 'Home'));
  const first = all.querySelector('.primary');
  const pressSame = same ? same.querySelector('button') : null;
  const keys = [[['Enter'], first.textContent]];
  if (pressSame && pressSame !== first) keys.push([['Shift', 'Enter'], SAME]);
  return { element: h('div', {}, all, keyHints([...keys, [['Esc'], 'Home']])), first, same: pressSame, meet, meetAgain };
}

const SAME = 'Again with the same people';
