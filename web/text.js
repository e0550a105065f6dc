// The text of a race, what was typed of it, and the carets of all players.

import { h } from './ui.js';

// Pixels between two labels.
const GAP = 2;

export class TextView {
  #words;
  #spans;
  #lines;
  #carets = new Map();
  #next = null;
  #painted = 0;

  // `lines` has the blanks before the first word of each line but the first.
  constructor(words, lines = new Map()) {
    this.#words = words;
    this.#spans = words.map((word) => h('span', { class: 'word' }, letters(word)));
    const after = (at) => (lines.has(at + 1) ? newLine(lines.get(at + 1)) : ' ');
    this.#lines = h('div', { class: 'lines' }, this.#spans.flatMap((span, at) => [span, after(at)]));
    this.element = h('div', { class: 'text', 'aria-hidden': 'true' }, this.#lines);
    new ResizeObserver(() => this.#next && this.#paint()).observe(this.element);
  }

  // Draws at the next animation frame; several calls before it are drawn once. The text scrolls with the caret of `me`, or, for
  // spectators, with that of `followed`.
  show(state, players, me, followed = me) {
    if (!this.#next?.isDue) requestAnimationFrame(() => this.#paint());
    this.#next = { state, players, me, followed, isDue: true };
  }

  #paint() {
    const { state, players, me, followed } = this.#next;
    this.#next.isDue = false;
    const now = state.typed.length - 1;
    for (let at = Math.min(now, this.#painted); at <= Math.max(now, this.#painted); at += 1) {
      this.#paintWord(at, state.typed[at], at < now);
    }
    this.#spans[this.#painted].classList.remove('current');
    if (me) this.#spans[now].classList.add('current');
    this.#painted = now;
    this.#dropCarets(players);
    const spots = players.map((player) => this.#spot(player, player.id === me?.id));
    for (const spot of spots) this.#placeCaret(spot);
    this.#placeLabels(spots.filter(({ isOwn }) => !isOwn));
    this.#scrollTo(spots.find(({ player }) => player.id === followed?.id));
  }

  // Extra letters of the current word overlay what comes next, or the word itself at the end of a line, so
  // that the text never moves.
  #paintWord(at, typed = '', isOver) {
    const word = this.#words[at];
    const span = this.#spans[at];
    span.classList.toggle('wrong-word', isOver && typed !== word);
    [...span.children].slice(0, word.length).forEach((letter, index) => {
      letter.className = typed[index] === undefined ? '' : typed[index] === word[index] ? 'right' : 'wrong';
    });
    const extra = isOver ? '' : typed.slice(word.length);
    const known = span.children[word.length];
    if (extra === '') return known?.remove();
    const shown = known ?? span.appendChild(h('span', { class: 'wrong extra' }));
    shown.textContent = extra;
    const isTooWide = span.offsetLeft + span.offsetWidth + shown.offsetWidth > this.#lines.clientWidth;
    return shown.classList.toggle('inside', isTooWide);
  }

  // The position of a caret: before the next letter, or after the last one.
  #spot(player, isOwn) {
    const { word_index: word, char_index: char } = player.position;
    const at = Math.min(word, this.#words.length - 1);
    const span = this.#spans[at];
    const { length } = this.#words[at];
    const letter = span.children[Math.max(0, Math.min(char + 1, length - 1))];
    const extra = isOwn && char >= length ? span.children[length] : undefined;
    const isBehind = char + 1 >= length;
    const inWord = extra ? extra.offsetLeft + extra.offsetWidth : letter.offsetLeft + (isBehind ? letter.offsetWidth : 0);
    return { player, isOwn, x: span.offsetLeft + inWord, y: span.offsetTop + letter.offsetTop };
  }

  #dropCarets(players) {
    const ids = new Set(players.map(({ id }) => id));
    for (const [id, caret] of this.#carets) {
      if (ids.has(id)) continue;
      caret.remove();
      this.#carets.delete(id);
    }
  }

  #placeCaret({ player, isOwn, x, y }) {
    let caret = this.#carets.get(player.id);
    // A guest who logs in gets another id: the player's own caret may have been drawn as another player's.
    if (caret && caret.classList.contains('own') !== isOwn) {
      caret.remove();
      caret = null;
    }
    if (!caret) {
      const label = h('span', { class: 'label' }, `${player.number}`, h('span', {}, ` ${player.name}`));
      caret = h('div', { class: `caret player-${colour(player)}` }, isOwn ? [] : label);
      caret.classList.toggle('own', isOwn);
      this.#carets.set(player.id, caret);
      this.#lines.append(caret);
    }
    // Between lines it jumps, since gliding would cross other words.
    caret.classList.toggle('jumps', caret.dataset.y !== `${y}`);
    caret.classList.toggle('still', Boolean(player.still));
    caret.dataset.y = y;
    caret.style.transform = `translate(${x}px, ${y}px)`;
  }

  // Places the labels of one line side by side, each as near to its caret as possible. If the names do not
  // fit into the line, only the numbers are shown.
  #placeLabels(others) {
    const right = this.#lines.clientWidth;
    for (const line of Map.groupBy(others, ({ y }) => y).values()) {
      line.sort((a, b) => a.x - b.x);
      const labels = line.map(({ player }) => this.#carets.get(player.id).firstChild);
      const width = (label) => label.offsetWidth + GAP;
      labels.forEach((label) => label.classList.remove('short'));
      const isTight = labels.reduce((sum, label) => sum + width(label), 0) > right;
      labels.forEach((label) => label.classList.toggle('short', isTight));
      const starts = sideBySide(line.map(({ x }) => x), labels.map(width), right);
      line.forEach(({ x }, at) => (labels[at].style.transform = `translateX(${starts[at] - x}px)`));
    }
  }

  // A long text scrolls. The line ahead stays visible, and two lines above the current one where they fit.
  #scrollTo(spot) {
    if (!spot) return;
    const height = this.#lines.firstChild.offsetHeight;
    const above = Math.min(2, Math.floor(this.element.clientHeight / height) - 2);
    this.element.scrollTop = spot.y - height * Math.max(0, above);
  }
}

// One of eight colours and patterns, which repeat; the number distinguishes players.
export const colour = ({ number }) => ((number - 1) % 8) + 1;

// The mark of a line's end, and the blanks that the next line begins with.
const newLine = (blanks) => h('span', { class: 'new-line' }, '⏎', h('br'), '\u00a0'.repeat(blanks));

const letters = (word) => word.split('').map((letter) => h('span', {}, letter));

// The starts of labels with these widths, as near as possible to `wanted`, in that order, without overlaps
// and within `right`. Pure.
export function sideBySide(wanted, widths, right) {
  const starts = [];
  wanted.forEach((x, at) => starts.push(at === 0 ? x : Math.max(x, starts[at - 1] + widths[at - 1])));
  let limit = right;
  for (let at = starts.length - 1; at >= 0; at -= 1) {
    starts[at] = Math.min(starts[at], limit - widths[at]);
    limit = starts[at];
  }
  return starts;
}
