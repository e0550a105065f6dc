// Plays a recorded race: the text with all carets, a time line, and the players with their speeds.

import { nth } from '/web/sentences.js';
import { TextView, colour } from '/web/text.js';
import { h } from '/web/ui.js';
import { sceneOf, shotsOf, slowestWords } from './film.js';
import { gradeMark, inWords, signedLink } from './grades.js';
import { heatMap } from './heat.js';

const SPEEDS = [0.25, 0.5, 1, 2, 4];

// Milliseconds by which the arrow keys move.
const STEP = 1_000;

const time = (ms) => `${Math.floor(ms / 60_000)}:${(Math.floor(ms / 100) / 10 % 60).toFixed(1).padStart(4, '0')}`;

export class Player {
  #at = 0;
  #speed = 1;
  // The moment of the last frame while it plays, else null.
  #last = null;
  #frame = null;
  #chosen = 0;
  #press = (event) => this.#key(event);

  // The keys of the player who `isChosen` are shown at first: by default one's own.
  constructor(replay, link, isChosen = ({ own }) => own) {
    this.words = replay.words.split(' ');
    this.blanks = new Map(replay.about?.lines ?? []);
    const lines = [...this.blanks.keys()];
    this.players = replay.players.map((player, index) => {
      const shots = shotsOf(this.words, lines, player);
      const isExact = (player.edits ?? []).length > 0;
      return { ...player, id: `${index}`, number: index + 1, shots, isExact, seconds: replay.seconds };
    });
    this.#chosen = Math.max(0, this.players.findIndex(isChosen));
    this.length = Math.max(1, ...this.players.map(({ shots }) => shots.at(-1).at));
    this.element = this.#build(replay, link);
    addEventListener('keydown', this.#press);
    this.#draw();
  }

  // The index of the player whose keys are shown.
  get chosen() {
    return this.#chosen;
  }

  end() {
    this.pause();
    removeEventListener('keydown', this.#press);
  }

  focus() {
    this.heading.focus({ preventScroll: true });
  }

  #build(replay, link) {
    this.heading = h('h1', { tabindex: -1 }, 'Replay');
    const when = new Date(replay.started_at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    this.stage = h('div', { class: 'stage' });
    this.button = h('button', { type: 'button', class: 'primary', onclick: () => this.toggle() }, 'Play');
    this.line = h('input', {
      type: 'range', min: 0, max: this.length, step: 10, value: 0, 'aria-label': 'Time', oninput: () => this.seek(Number(this.line.value)),
    });
    this.clock = h('output', { class: 'clock' });
    const speed = h('select', { 'aria-label': 'Speed', onchange: () => (this.#speed = Number(speed.value)) });
    speed.append(...SPEEDS.map((it) => h('option', { value: it, selected: it === 1 }, `${it}×`)));
    this.rows = this.players.map((player) => this.#row(player));
    this.slow = h('p', { class: 'slow' });
    this.heat = h('div');
    this.signed = h('span');
    this.#choose(this.#chosen);
    const file = h('a', { href: `/api/v1/recordings/${link}`, download: `typephoon-${replay.game_id}.json` }, 'Save as JSON');
    return h(
      'div',
      { class: 'replay' },
      this.heading,
      h('p', { class: 'why' }, `Race of ${when}. `, replay.about?.source && `Text: ${replay.about.source}. `),
      this.stage,
      h('p', { class: 'controls' }, this.button, this.line, this.clock, speed),
      h('p', { class: 'keys' }, [['Space', 'play or pause'], ['← →', 'back or forward 1 s'], ['Home', 'to the start']].map(hint)),
      h('div', { class: 'wide', role: 'group', tabindex: 0, 'aria-label': 'Players' }, this.#table()),
      this.slow,
      this.heat,
      h('p', { class: 'ways' }, h('button', { type: 'button', onclick: (event) => this.#copy(event.target, link) }, 'Copy the link'), file, this.signed),
    );
  }

  async #copy(button, link) {
    await navigator.clipboard?.writeText(new URL(`#/replays/${link}`, location.href).href).catch(() => {});
    button.textContent = 'Copied';
  }

  #table() {
    const heads = ['Player', 'WPM', 'Typed', 'Result', 'Checked'].map((name) => h('th', { scope: 'col' }, name));
    return h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, this.rows.map((row) => row.element)));
  }

  #row(player) {
    const { id, name, own, wpm, acc, rank, struck } = player;
    const speed = h('td', { 'data-figure': 'wpm' });
    const part = h('td');
    const choose = () => this.#choose(Number(id));
    const input = h('input', { type: 'radio', name: 'typist', checked: Number(id) === this.#chosen, onchange: choose });
    const mark = h('span', { class: 'key' });
    const label = h('label', { class: `tick player-${colour(player)}` }, input, mark, name, own && h('span', { class: 'mark' }, 'you'));
    const figures = wpm === null ? 'no result' : `${rank === null ? 'unranked' : nth(rank)}, ${wpm.toFixed(1)} WPM, ${acc.toFixed(1)}%`;
    const why = struck ? h('span', { class: 'verdict' }, ` ${struck}`) : h('span', { class: 'unseen' }, inWords(player));
    const grade = h('td', {}, gradeMark(player), why);
    const element = h('tr', {}, h('th', { scope: 'row' }, label), speed, part, h('td', {}, figures), grade);
    return { element, speed, part };
  }

  // Whose keys are shown in the text; of the others it shows the carets.
  #choose(index) {
    this.#chosen = index;
    this.text = new TextView(this.words, this.blanks);
    this.stage.replaceChildren(this.text.element);
    const slow = slowestWords(this.words, this.players[index].shots);
    const list = slow.map(({ word, wpm }) => `${word} (${Math.round(wpm)} WPM)`).join(', ');
    this.slow.textContent = slow.length > 0 ? `Slowest words of ${this.players[index].name}: ${list}.` : '';
    this.heat.replaceChildren(heatMap(this.words, this.players[index]) ?? '');
    this.signed.replaceChildren(signedLink(this.players[index], `Signed result of ${this.players[index].name}`) ?? '');
    if (this.element) this.#draw();
  }

  toggle() {
    if (this.#last !== null) return this.pause();
    if (this.#at >= this.length) this.#at = 0;
    this.#last = performance.now();
    this.button.textContent = 'Pause';
    this.#frame = requestAnimationFrame((now) => this.#play(now));
    return undefined;
  }

  pause() {
    cancelAnimationFrame(this.#frame);
    this.#last = null;
    this.button.textContent = 'Play';
  }

  seek(at) {
    this.#at = Math.max(0, Math.min(this.length, at));
    this.#draw();
  }

  #play(now) {
    const passed = Math.max(0, now - this.#last) * this.#speed;
    this.#last = now;
    this.seek(this.#at + passed);
    if (this.#at >= this.length) this.pause();
    else this.#frame = requestAnimationFrame((next) => this.#play(next));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('select, button, a, input')) return;
    const moves = {
      ' ': () => this.toggle(),
      ArrowLeft: () => this.seek(this.#at - STEP),
      ArrowRight: () => this.seek(this.#at + STEP),
      Home: () => this.seek(0),
      End: () => this.seek(this.length),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }

  #draw() {
    const scenes = this.players.map((player) => sceneOf(this.words, player, this.#at));
    const carets = this.players.map((player, index) => ({ ...player, position: scenes[index].position }));
    this.text.show(scenes[this.#chosen].state, carets, carets[this.#chosen]);
    this.line.value = this.#at;
    this.line.setAttribute('aria-valuetext', time(this.#at));
    this.clock.textContent = `${time(this.#at)} / ${time(this.length)}`;
    scenes.forEach(({ wpm, part }, index) => {
      this.rows[index].speed.textContent = `${Math.round(wpm)}`;
      this.rows[index].part.textContent = `${Math.floor(part * 100)}%`;
    });
  }
}

const hint = ([key, words]) => h('span', {}, h('kbd', {}, key), ` ${words}`);
