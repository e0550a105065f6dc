// The demonstration on the home page: the text and the standings of a race, typed by a formula. It stands
// still with `prefers-reduced-motion`, and while the page is hidden.

import { Standings } from './standings.js';
import { TextView } from './text.js';
import { begin, figures, position, type } from './typing.js';
import { h } from './ui.js';

const TEXT = 'the wind picks up over a warm sea and every key that you press takes you a little further ahead';

// Milliseconds: between two frames, until the race restarts, and the moment that is shown without motion.
const FRAME = 80;
const REST = 2_500;
const STILL = 7_000;

// Words per minute, and how much the speed swings.
const RIVALS = [
  { name: 'Ada', wpm: 74, swing: 0.08 },
  { name: 'Mara', wpm: 70, swing: 0.3 },
  { name: 'Theo', wpm: 58, swing: 0.18 },
];

const LETTERS_PER_WORD = 5;

export function demo() {
  const words = TEXT.split(' ');
  const text = new TextView(words);
  const standings = new Standings(words);
  const element = h('div', { class: 'demo', 'aria-hidden': 'true', inert: true }, standings.element, text.element);
  let timer = null;
  let time = 0;
  const show = () => draw(words, time, text, standings);
  const tick = () => {
    if (!document.hidden) time += FRAME;
    if (!show()) return;
    clearInterval(timer);
    timer = setTimeout(run, REST);
  };
  const run = () => {
    time = 0;
    timer = setInterval(tick, FRAME);
  };
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (isStill) time = STILL;
  else run();
  // It has no size before it is in the page.
  requestAnimationFrame(show);
  return { element, end: () => clearInterval(timer) };
}

// Draws the race at `time`. Returns whether the first player has finished.
function draw(words, time, text, standings) {
  const seconds = time / 1000;
  const typed = RIVALS.map(({ wpm, swing }, index) => {
    const even = (wpm * LETTERS_PER_WORD * seconds) / 60;
    return Math.min(TEXT.length, Math.max(0, Math.floor(even + swing * 10 * Math.sin(seconds + index * 2))));
  });
  const states = typed.map((count) => stateAt(words, count));
  const players = RIVALS.map(({ name, wpm }, index) => ({
    id: name,
    name,
    number: index + 1,
    position: position(states[index]),
    finished: null,
    moves: true,
    wpm: seconds > 2 ? wpm : null,
  }));
  const [me] = players;
  const state = states[0];
  text.show(state, players, me);
  const order = players.toSorted((a, b) => typed[b.number - 1] - typed[a.number - 1]);
  const race = { me, secondsRaced: seconds, figures: figures(state, seconds), record: { isFair: true } };
  standings.show(race, order);
  return state.done;
}

function stateAt(words, count) {
  const done = TEXT.slice(0, count).split(' ');
  return done.reduce((state, word, index) => type(state, index < done.length - 1 ? `${word} ` : word), begin(words));
}
