// The race: the text, the carets of all players, and the player's own figures.

import { countDown } from '../countdown.js';
import { tellLoss } from '../loss.js';
import { placeOf, standing } from '../players.js';
import { findRace, leaveRace, theRace } from '../race.js';
import { go } from '../router.js';
import { clock, count, nth, sentence } from '../sentences.js';
import { slot } from '../slots.js';
import { play } from '../sound.js';
import { Standings, Strip } from '../standings.js';
import { rightWords, slips } from '../typing.js';
import { h, onEscape, put, say, trouble } from '../ui.js';
import { Stage } from './stage.js';

export const title = 'Race';
export const passing = true;

// Least time between two announcements of the place to screen readers.
const PLACE_PAUSE = 5_000;

// Seconds left that screen readers announce, and from which on the time stands out.
const TOLD_LEFT = [30, 10];
const LAST = 5;

// Milliseconds after the last key until the rest of the page reappears, and that GO is shown.
const REST = 3_000;
const GO = 900;

const LEAVE = 'Leave the race';
const AGAIN = 'Press again to leave';
const ASKING = 4_000;

const EACH_WORD = 'Type each word, then a space.';
const inTime = (seconds) => `Type as many words as you can in ${count(seconds, 'second', 'seconds')}.`;

export function show(main) {
  const page = new RacePage(main, theRace());
  page.enter();
  return () => page.leave();
}

class RacePage {
  #ends = [];
  #said = { place: 0, at: 0, word: -1 };
  #isLeft = false;
  #slips = 0;
  #asking = null;
  #resting = null;
  #untellLoss = () => {};
  #stopCounting = () => {};

  constructor(main, race) {
    this.main = main;
    this.race = race;
  }

  async enter() {
    const loading = put(this.main, h('p', { class: 'loading' }, 'Loading…')).lastChild;
    try {
      // A new tab asks the server.
      this.race ??= await findRace();
      if (this.#isLeft) return;
      if (this.race === null) return go('#/', 'This race is over.');
      await this.race.open();
    } catch (failure) {
      if (!this.#isLeft) this.#fail(failure);
      return;
    } finally {
      loading.remove();
    }
    if (this.#isLeft) return;
    if (this.race.isDone) go('#/result');
    else this.#build();
  }

  #fail(failure) {
    if (this.race === null && !failure.passes) return go('#/', 'This race is over.');
    if (!failure.passes) return this.#giveUp(failure.code);
    this.main.append(h('h1', {}, 'Race'), trouble(failure, () => go('#/race')));
  }

  #giveUp(code) {
    leaveRace();
    go('#/', sentence(code));
  }

  #build() {
    const { race } = this;
    this.note = h('p', { class: 'note', role: 'status' });
    this.stage = new Stage(race, (words) => this.#tell(words));
    this.standings = new Standings(race.words);
    this.strip = new Strip(race.words);
    this.big = h('p', { class: 'count', 'aria-hidden': 'true' });
    this.stage.element.append(this.big);
    this.lead = h('div', { class: 'lead-row' });
    this.word = h('p', { class: 'unseen', 'aria-live': 'polite' });
    this.way = h('button', { type: 'button', onclick: () => this.#quit() }, LEAVE);
    const modules = slot('race', race.host);
    this.#ends.push(modules.end);
    put(
      this.main,
      h('h1', { class: 'unseen' }, 'Race'),
      this.lead,
      this.strip.element,
      this.standings.element,
      this.stage.element,
      this.note,
      h('p', { id: 'race-text', class: 'unseen' }, race.words.join(' ')),
      this.word,
      h('p', { class: 'ways' }, this.way),
      modules.element,
    );
    this.#listen();
    this.#wait();
    this.#show();
    this.stage.focus();
  }

  #listen() {
    const ticking = setInterval(() => this.#tick(), 1000);
    this.#ends.push(
      this.race.listen((what) => this.#hear(what)),
      onEscape(() => this.#quit()),
      this.stage.catchKeys(),
      () => clearInterval(ticking),
      () => this.#stopCounting(),
      () => clearTimeout(this.#asking),
      () => this.#rest(),
    );
    for (const name of ['pointermove', 'pointerdown']) {
      const rest = () => this.#rest();
      addEventListener(name, rest);
      this.#ends.push(() => removeEventListener(name, rest));
    }
  }

  #sound() {
    const wrong = slips(this.race.record.state);
    play(wrong > this.#slips ? 'slip' : 'key');
    this.#slips = wrong;
  }

  // While the player types, everything but the race fades.
  #concentrate() {
    document.body.classList.add('is-typing');
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#rest(), REST);
  }

  #rest() {
    clearTimeout(this.#resting);
    document.body.classList.remove('is-typing');
  }

  #hear(what) {
    if (what === 'start') this.#begin();
    else if (what === 'end') this.#giveUp(this.race.ended);
    // Perhaps in another window.
    else if (this.race.isDone) go('#/result');
    else {
      if (what === 'typed') {
        this.#concentrate();
        this.#sound();
      }
      this.#show();
    }
  }

  // Before START. The countdown is only shown; the race begins with the event.
  #wait() {
    if (this.race.isOn) return this.#begin();
    const words = h('p', { class: 'before', 'aria-hidden': 'true' });
    this.lead.replaceChildren(words);
    this.#untellLoss = tellLoss(this.main, this.lead);
    this.#ends.push(
      () => this.#untellLoss(),
      countDown(this.race.deadline, (seconds) => {
        if (this.race.isOn) return;
        words.textContent = this.race.limit === null ? EACH_WORD : inTime(this.race.limit);
        this.big.textContent = seconds > 0 ? seconds : 'Ready…';
        if (seconds <= 5) say(seconds > 0 ? `${seconds}` : 'Get ready', true);
      }),
    );
  }

  #begin() {
    const { race } = this;
    this.#untellLoss();
    const figure = (name) => {
      const value = h('dd', { 'data-figure': name });
      return [value, h('div', {}, h('dt', {}, name), value)];
    };
    const isTimed = race.limit !== null;
    const names = isTimed ? ['Time left', 'Words', 'WPM', 'Accuracy', 'Place'] : ['WPM', 'Accuracy', 'Place', 'Time'];
    const pairs = names.map(figure);
    this.figures = pairs.map(([value]) => value);
    this.lead.replaceChildren(h('dl', { class: isTimed ? 'figures timed' : 'figures' }, pairs.map(([, element]) => element)));
    this.stage.reset();
    this.main.classList.add('is-on');
    say('Go!', true);
    this.#slips = slips(race.record.state);
    this.#sayGo();
    if (isTimed) this.#countTime();
    this.#show();
  }

  // Shows each second that is left, when it begins.
  #countTime() {
    const { left } = this.race;
    const seconds = Math.ceil(left);
    const [shown] = this.figures;
    if (shown.textContent !== `${seconds}`) {
      shown.textContent = seconds;
      shown.classList.toggle('last', seconds <= LAST);
      if (TOLD_LEFT.includes(seconds) && seconds < this.race.limit) say(`${seconds} seconds left`);
    }
    const timer = setTimeout(() => this.#countTime(), (left % 1 || 1) * 1000);
    this.#stopCounting = () => clearTimeout(timer);
  }

  // Only at START, not after a reload.
  #sayGo() {
    const isNow = this.race.seconds < 1;
    this.big.textContent = isNow ? 'GO' : '';
    if (isNow) play('go');
    const going = setTimeout(() => (this.big.textContent = ''), GO);
    this.#ends.push(() => clearTimeout(going));
  }

  #tick() {
    this.race.sample();
    this.#show();
    this.#sayPlace();
  }

  #show() {
    const { race } = this;
    const { state } = race.record;
    this.stage.show();
    this.standings.show(race, standing(race.players, race.words));
    this.strip.show(race);
    if (!this.figures) return;
    const { wpm, acc } = race.figures;
    if (!race.me) return;
    const { place, of } = placeOf(race.me, race.players, race.words);
    const rank = of > 1 ? `${nth(place)} of ${of}` : '–';
    const [speed, accuracy] = [Math.round(wpm), `${Math.round(acc)}%`];
    const isTimed = race.limit !== null;
    const texts = isTimed ? [rightWords(state), speed, accuracy, rank] : [speed, accuracy, rank, clock(race.seconds)];
    // The time left has a timer of its own.
    const elements = isTimed ? this.figures.slice(1) : this.figures;
    elements.forEach((element, index) => (element.textContent = texts[index]));
    this.#sayWord(state);
  }

  #sayPlace() {
    const { race } = this;
    if (!race.isOn || !race.me) return;
    const { place, of } = placeOf(race.me, race.players, race.words);
    const isQuiet = of < 2 || place === this.#said.place || performance.now() - this.#said.at < PLACE_PAUSE;
    if (isQuiet) return;
    Object.assign(this.#said, { place, at: performance.now() });
    say(`You are ${nth(place)}`);
  }

  // The word to type next, for screen readers.
  #sayWord({ typed }) {
    const index = typed.length - 1;
    if (index === this.#said.word) return;
    const { words } = this.race;
    const isSlip = index > this.#said.word && index > 0 && typed[index - 1] !== words[index - 1];
    this.#said.word = index;
    this.word.textContent = isSlip ? `Wrong. ${words[index]}` : words[index];
  }

  // Asks for confirmation, so that a stray key does not cost the race. Home offers the way back.
  #quit() {
    if (this.way.textContent === AGAIN) return go('#/');
    this.way.textContent = AGAIN;
    this.#tell(AGAIN);
    this.#asking = setTimeout(() => {
      this.way.textContent = LEAVE;
      this.#tell('');
    }, ASKING);
  }

  #tell(words) {
    if (this.note.textContent !== words) this.note.textContent = words;
  }

  leave() {
    this.#isLeft = true;
    for (const end of this.#ends) end();
    // The result page keeps the connection; from other pages the race can be reopened.
    if (this.race && !this.race.isDone) this.race.close();
  }
}
