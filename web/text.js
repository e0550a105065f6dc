// The text of a race with what was typed of it, and everybody's carets.

import { h } from './ui.js';

// Labels that are closer than this to each other, in pixels, show the number alone.
const LABEL = 90;
const SHORT_LABEL = 20;

export class TextView {
  #words;
  #spans;
  #lines;
  #carets = new Map();
  #next = null;
  #painted = 0;

  constructor(words) {
    this.#words = words;
    this.#spans = words.map((word) => h('span', { class: 'word' }, letters(word)));
    this.#lines = h('div', { class: 'lines' }, this.#spans.flatMap((span) => [span, ' ']));
    this.element = h('div', { class: 'text', 'aria-hidden': 'true' }, this.#lines);
    new ResizeObserver(() => this.#next && this.#paint()).observe(this.element);
  }

  // Draws at the next frame; what comes before that in quick succession is drawn once.
  show(state, players, me) {
    if (!this.#next?.isDue) requestAnimationFrame(() => this.#paint());
    this.#next = { state, players, me, isDue: true };
  }

  #paint() {
    const { state, players, me } = this.#next;
    this.#next.isDue = false;
    const now = state.typed.length - 1;
    for (let at = Math.min(now, this.#painted); at <= Math.max(now, this.#painted); at += 1) {
      this.#paintWord(at, state.typed[at], at < now);
    }
    this.#painted = now;
    this.#dropCarets(players);
    const spots = players.map((player) => this.#spot(player, player.id === me?.id));
    const width = this.#lines.clientWidth;
    for (const spot of labelled(spots)) this.#placeCaret(spot, width);
    this.#scrollTo(spots.find(({ isOwn }) => isOwn));
  }

  #paintWord(at, typed = '', isOver) {
    const word = this.#words[at];
    const span = this.#spans[at];
    span.classList.toggle('wrong-word', isOver && typed !== word);
    while (span.childElementCount > word.length) span.lastChild.remove();
    [...span.children].forEach((letter, index) => {
      letter.className = typed[index] === undefined ? '' : typed[index] === word[index] ? 'right' : 'wrong';
    });
    for (const letter of typed.slice(word.length)) span.append(h('span', { class: 'wrong extra' }, letter));
  }

  // Where a caret stands: before the letter that comes next, or behind the last one.
  #spot(player, isOwn) {
    const { word_index: word, char_index: char } = player.position;
    const at = Math.min(word, this.#words.length - 1);
    const span = this.#spans[at];
    const count = isOwn ? span.childElementCount : this.#words[at].length;
    const next = Math.min(char + 1, count);
    const letter = span.children[Math.min(next, count - 1)];
    const x = letter.offsetLeft + (next === count ? letter.offsetWidth : 0);
    return { player, isOwn, x, y: letter.offsetTop, shift: 0, isShort: false };
  }

  #dropCarets(players) {
    const ids = new Set(players.map(({ id }) => id));
    for (const [id, caret] of this.#carets) {
      if (ids.has(id)) continue;
      caret.remove();
      this.#carets.delete(id);
    }
  }

  #placeCaret({ player, isOwn, x, y, shift, isShort }, width) {
    let caret = this.#carets.get(player.id);
    // A guest who logs in gets another id: the own caret may have been drawn as somebody else's.
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
    // From line to line it jumps; on its way it would cross other words.
    caret.classList.toggle('jumps', caret.dataset.y !== `${y}`);
    caret.dataset.y = y;
    caret.style.transform = `translate(${x}px, ${y}px)`;
    caret.classList.toggle('short', isShort);
    if (isOwn) return;
    const label = caret.firstChild;
    // At the end of a line there is no room to the right.
    const isNearEdge = x + shift + LABEL > width;
    const most = isNearEdge ? width - x - label.offsetWidth : shift;
    label.style.transform = `translateX(${Math.min(shift, most)}px)`;
  }

  // A long text is seen through a window, with the own line second in it.
  #scrollTo(own) {
    if (own) this.element.scrollTop = own.y - this.#lines.firstChild.offsetHeight * 2;
  }
}

// One of eight colours and shapes, then they come again; the number tells them apart.
export const colour = ({ number }) => ((number - 1) % 8) + 1;

const letters = (word) => word.split('').map((letter) => h('span', {}, letter));

// Labels that would lie over each other are shortened, and moved aside if that is not enough.
function labelled(spots) {
  const others = spots.filter(({ isOwn }) => !isOwn).sort((a, b) => a.y - b.y || a.x - b.x);
  others.forEach((spot, index) => {
    const next = others[index + 1];
    const before = others[index - 1];
    if (next?.y === spot.y && next.x - spot.x < LABEL) spot.isShort = true;
    if (before?.y !== spot.y) return;
    spot.shift = Math.max(0, before.x + before.shift + SHORT_LABEL - spot.x);
  });
  return spots;
}
