// The stage: the text, covered by the input, and the keys that are redirected to it.

import { typingField } from '../field.js';
import { TextView } from '../text.js';
import { current, goBack, isHeldUp, isLast, isLineEnd, waitsForEnter } from '../typing.js';
import { h } from '../ui.js';

export class Stage {
  #field;
  #text;

  // Calls `note(words)` with hints for the player; '' removes them.
  constructor(race, note) {
    this.race = race;
    const read = (value, composing) => {
      const before = race.record.state;
      // Enter only has a meaning at the end of a line, and of the text.
      if (value.endsWith('\n') && !isLast(before) && !isLineEnd(before)) return current(before);
      race.type(value, composing);
      const { state } = race.record;
      const isHeld = race.isOn && isHeldUp(before, state, value);
      note(isHeld ? 'Fix the last word to finish' : waitsForEnter(before, state, value) ? 'Press Enter at the end of the line' : '');
      return current(state);
    };
    const back = () => {
      race.become(goBack(race.record.state));
      note('');
      return current(race.record.state);
    };
    this.#field = typingField(read, back, 'race-text');
    this.#text = new TextView(race.words, race.lines);
    this.reset();
    this.element = this.#build();
  }

  // Tapping the text is tapping the input.
  #build() {
    const { input } = this.#field;
    // Phones show their keyboard only after a tap, even if the input has the focus.
    let isTapped = !matchMedia('(pointer: coarse)').matches;
    const words = isTapped ? 'Click here to keep typing' : 'Tap here to type';
    const hint = h('p', { class: 'hint', 'aria-hidden': 'true' }, words);
    const stage = h('div', { class: 'stage' }, this.#text.element, input, hint);
    const showHint = () => {
      stage.classList.toggle('asleep', !isTapped || document.activeElement !== input);
    };
    const tap = () => {
      isTapped = true;
      showHint();
    };
    for (const name of ['focus', 'blur']) input.addEventListener(name, showHint);
    for (const name of ['pointerup', 'input']) input.addEventListener(name, tap);
    showHint();
    return stage;
  }

  // What was typed before START does not count.
  reset() {
    this.#field.reset(current(this.race.record.state));
  }

  show() {
    const { race } = this;
    const { state } = race.record;
    this.#text.show(state, race.players, race.me);
    const isWrong = !race.words[state.typed.length - 1].startsWith(current(state));
    this.#field.input.setAttribute('aria-invalid', `${isWrong}`);
  }

  focus() {
    this.#field.input.focus({ preventScroll: true });
  }

  // Redirects letters and spaces typed outside the input to it. Enter still presses a button. Returns a
  // function that stops it.
  catchKeys() {
    const { input } = this.#field;
    const press = (event) => {
      const isCommand = event.ctrlKey || event.metaKey || event.altKey;
      if (event.target === input || (isCommand && !event.getModifierState('AltGraph'))) return;
      // A dead key starts a composition, which must happen in the input.
      if (event.key === 'Dead') return this.focus();
      if (event.key.length !== 1) return;
      event.preventDefault();
      this.focus();
      this.#field.press(event.key);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }
}
