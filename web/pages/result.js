// The result, live while others still type: the place, the own figures, speed over the race, mistakes,
// and the ways on.

import { get } from '../api.js';
import { legend, lineChart } from '../chart.js';
import { isCompany, placeOf, standing } from '../players.js';
import { leaveRace, theRace } from '../race.js';
import { go, here } from '../router.js';
import { clock, count, nth, sentence } from '../sentences.js';
import { Standings } from '../standings.js';
import { TextView } from '../text.js';
import { mistyped } from '../typing.js';
import { action, h, onEscape, put, say, trouble } from '../ui.js';
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
    // What fails here comes with the next look.
    this.race.readResult().catch(() => {});
  }

  #fail(failure) {
    if (failure.passes) {
      this.main.append(h('h1', {}, 'Result'), trouble(failure, () => go('#/result')));
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
    this.standings = new Standings(race.words);
    this.text = new TextView(race.words);
    this.others = h('section', {}, h('h2', {}, 'Still typing'), this.text.element);
    const again = waysOn(race);
    put(
      this.main,
      this.heading,
      this.state,
      race.record.claim && this.figures,
      again,
      race.record.kind !== 'solo' && h('section', {}, h('h2', {}, 'Players'), this.standings.element),
      this.others,
      race.record.samples.length > 1 && graph(race.record),
      mistakes(race.record.state),
    );
    this.#ends.push(
      race.listen(() => this.#show()),
      onEscape(() => go('#/')),
    );
    this.#show();
    // Not a button: a blank typed out of habit would press it.
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
    if (race.record.claim) this.#showFigures(taken(race));
    this.standings.show(race, standing(race.players, race.words));
    const typing = race.players.filter((it) => !it.finished && !it.away && it !== race.me);
    this.others.hidden = typing.length === 0 || race.ended !== null;
    if (!this.others.hidden) this.text.show(race.record.state, typing, null);
  }

  // Anew only if they have changed: who reads them is not to be disturbed.
  #showFigures(figures) {
    const shown = JSON.stringify(figures);
    if (this.#shown === shown) return;
    this.#shown = shown;
    this.figures.replaceChildren(...ownFigures(figures));
  }

  leave() {
    this.#isLeft = true;
    for (const end of this.#ends) end();
    this.race.close();
  }
}

function headingOf({ me, players, record, words }) {
  if (record.kind === 'solo') return 'Done';
  if (!me?.finished || me.unranked) return 'You are through';
  const { place, of, withBots } = placeOf(me, players, words);
  return of > 1 ? `You are ${nth(place)} of ${of}${withBots ? ', with bots' : ''}` : 'You are through';
}

function stateOf({ refusal, record, me }) {
  if (refusal) return sentence(refusal);
  if (me?.unranked) return sentence(me.unranked);
  if (isCorrected(me, record.claim)) return LATE;
  if (record.sent || me?.finished) return '';
  return 'Your result is on its way…';
}

const LATE = 'Your keystrokes reached the server late, so it has measured less speed than this page.';

// Whether the server has taken visibly less than what this page computed.
const isCorrected = (me, claim) => Boolean(me?.finished && claim) && claim.wpm - me.wpm >= 0.1;

// The own figures: those of the server, once it has taken them.
function taken({ me, record: { claim } }) {
  if (!me?.finished) return claim;
  const { wpm, wpm_raw, acc } = me;
  return { ...claim, wpm, wpm_raw, acc };
}

function ownFigures({ wpm, wpm_raw: raw, acc, seconds }) {
  const figure = (name, value) => h('div', {}, h('dt', {}, name), h('dd', { 'data-figure': name }, value));
  return [
    figure('WPM', wpm.toFixed(1)),
    figure('Accuracy', `${acc.toFixed(1)} %`),
    figure('Raw WPM', raw.toFixed(1)),
    figure('Time', clock(seconds)),
  ];
}

function graph({ samples, claim }) {
  const end = claim ? [[claim.seconds, claim.wpm, claim.wpm_raw]] : [];
  const all = [...samples, ...end];
  const lines = [
    { name: 'WPM', points: all.map(([at, wpm]) => [at, wpm]) },
    { name: 'Raw WPM', points: all.map(([at, , raw]) => [at, raw]) },
  ];
  const speeds = all.map(([, wpm]) => Math.round(wpm));
  const range = `from ${Math.min(...speeds)} to ${Math.max(...speeds)} WPM`;
  const summary = `Your speed over the race: ${range}, ${speeds.at(-1)} at the end.`;
  const ends = [all[0], all.at(-1)].map(([at]) => clock(at));
  return h('section', {}, h('h2', {}, 'Speed over the race'), lineChart(lines, ends, summary), legend(lines));
}

function mistakes(state) {
  const words = mistyped(state);
  const rows = words.map(({ word, count: times }) =>
    h('li', {}, h('code', {}, word), ` ${count(times, 'slip', 'slips')}`),
  );
  const list = rows.length > 0 ? h('ul', { class: 'mistakes' }, rows) : h('p', {}, 'None. Well typed.');
  return h('section', {}, h('h2', {}, 'Mistakes'), list);
}

function waysOn({ record: { kind, gameId }, players, me }) {
  const anyone = (label, attributes) => action(label, () => go('#/lobby'), attributes);
  // Whoever was alone has nobody to meet again; only the friends' link may still bring somebody.
  const company = isCompany(players, me);
  const meet = async () => {
    const isHere = here();
    const { invite_token: token } = await get(`/lobby/invite?game_id=${gameId}`);
    if (company) cameBy(token, 'again');
    if (isHere()) go(`#/join/${token}`);
  };
  const primary = { class: 'primary' };
  const same = (attributes) => company && action('Again with the same people', meet, attributes);
  const ways = {
    open: () => [anyone('Play again', primary), same()],
    friends: () => [same(primary) || action('Back to the lobby of friends', meet, primary), anyone('Play with anyone')],
    solo: () => [action('Again', () => go('#/solo'), primary), anyone('Race others')],
  };
  return put(h('p', { class: 'ways' }), ways[kind](), h('a', { href: '#/' }, 'Home'));
}
