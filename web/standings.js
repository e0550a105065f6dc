// The list of players with progress, speed and place, updated in place; and the same as a strip.

import { isCompany, progressOf, standing, trackLength, wordsTyped } from './players.js';
import { count, GRADES, nth } from './sentences.js';
import { colour } from './text.js';
import { speedAt } from './typing.js';
import { bareName, botMark, h } from './ui.js';

// Milliseconds in which a row glides to its new place.
const GLIDE = 250;

// The place in the row of a finished player.
function placeIn(player, place) {
  if (player.unranked) return 'not ranked';
  return place === null ? 'done' : nth(place);
}

// What the figures of a result are based on, if that is known.
const gradeIn = ({ grade }) => GRADES[grade]?.toLowerCase();

// Against the clock: the words typed, and with a result its place and accuracy. `isRanked` tells whether the results
// are known.
function stateInTime(player, place, isRanked) {
  const words = count(wordsTyped(player), 'word', 'words');
  if (!player.finished) return isRanked ? 'no result' : words;
  const figures = [player.correct_words != null && words, `${Math.round(player.acc)}%`, gradeIn(player)];
  return [isRanked && (player.unranked || place) && placeIn(player, place), ...figures].filter(Boolean).join(', ');
}

// How far along the track each player is, from 0 to 1.
const farIn = ({ limit, players }, words, isResult) => {
  if (!limit) return (player) => progressOf(player, words);
  const length = trackLength(players, limit, isResult);
  return (player) => wordsTyped(player) / length;
};

function stateOf(player, place, far) {
  if (player.finished) {
    return [placeIn(player, place), `${Math.round(player.acc)}% accuracy`, gradeIn(player)].filter(Boolean).join(', ');
  }
  return player.away ? 'away' : `${Math.floor(far * 100)}%`;
}

export class Standings {
  #rows = new Map();

  // A badge shows the number of the player's caret, or, with `hasRanks`, the place in the result.
  constructor(words, hasRanks = false) {
    this.words = words;
    this.hasRanks = hasRanks;
    this.element = h('ol', { class: 'standings', 'aria-label': 'Players' });
  }

  // Shows the players in the given order. The speed of others follows from their positions, if this page saw
  // them from START; the player's own counts correct letters.
  show(race, players) {
    const { me, secondsRaced: seconds, figures, record } = race;
    const speedOf = (player) => {
      if (player.wpm != null) return player.wpm;
      if (player.id === me?.id) return figures.wpm;
      const isKnown = record.isFair && player.moves && !player.away;
      return isKnown ? speedAt(this.words, player.position, seconds) : null;
    };
    const isMixed = !isCompany(players, me) && players.length > 1;
    const order = standing(players, this.words);
    const farOf = farIn({ limit: race.limit, players }, this.words, this.hasRanks);
    // Against the clock, all results become known at once.
    const isRanked = !race.limit || (this.hasRanks && Boolean(me?.finished));
    const rows = players.map((player) => {
      // Bots have no rank. A player who only met bots is placed among them.
      const place = player.unranked || !isRanked ? null : isMixed ? order.indexOf(player) + 1 : player.bot ? null : player.rank;
      const far = farOf(player);
      const state = race.limit ? stateInTime(player, place, isRanked) : stateOf(player, place, far);
      return this.#show(player, player.id === me?.id, { speed: seconds > 0 ? speedOf(player) : null, place, far, state });
    });
    const ids = new Set(players.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    this.#arrange(rows);
  }

  // Does not touch rows that are in order, since moving them disturbs screen readers.
  #arrange(rows) {
    const { children } = this.element;
    if (children.length === rows.length && rows.every((row, index) => children[index] === row)) return;
    const topOf = (row) => row.getBoundingClientRect().top;
    // Of a row that still glides, the place where it is seen.
    const tops = new Map(rows.filter((row) => row.isConnected).map((row) => [row, topOf(row)]));
    this.element.replaceChildren(...rows);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    for (const row of tops.keys()) for (const glide of row.getAnimations()) glide.cancel();
    for (const [row, top] of tops) {
      const way = top - topOf(row);
      if (way === 0) continue;
      // A row that moves up passes over the others.
      const zIndex = way > 0 ? 1 : 0;
      const from = { transform: `translateY(${way}px)`, zIndex };
      row.animate([from, { transform: 'none', zIndex }], { duration: GLIDE, easing: 'ease-out' });
    }
  }

  #show(player, isMe, { speed, place, far, state }) {
    const known = this.#rows.get(player.id);
    const row = known?.isMe === isMe ? known : this.#newRow(player, isMe);
    row.bar.value = far;
    row.speed.textContent = speed === null ? '' : `${Math.round(speed)} WPM`;
    row.state.textContent = state;
    row.element.classList.toggle('still', Boolean(player.still));
    if (this.hasRanks) row.badge.textContent = player.finished && place !== null ? place : '';
    return row.element;
  }

  #newRow(player, isMe) {
    const name = bareName(player);
    const bar = h('progress', { max: 1, value: 0, 'aria-label': `Progress of ${name}` });
    const speed = h('span', { class: 'speed' });
    const state = h('span', { class: 'state' });
    const badge = h('span', { class: 'badge', 'aria-hidden': 'true' }, `${player.number}`);
    const marks = [isMe && h('span', { class: 'mark' }, 'you'), botMark(player)];
    const who = h('span', { class: 'name' }, h('span', {}, name), marks);
    const classes = `player-${colour(player)}${isMe ? ' own-row' : ''}`;
    const element = h('li', { class: classes }, badge, who, bar, speed, state);
    const row = { element, bar, speed, state, badge, isMe };
    this.#rows.set(player.id, row);
    return row;
  }
}

// For small screens: one track with the numbers of all players. The list has the same information.
export class Strip {
  #dots = new Map();

  constructor(words) {
    this.words = words;
    this.element = h('div', { class: 'strip', 'aria-hidden': 'true' });
  }

  show(race) {
    const { players, me } = race;
    const farOf = farIn(race, this.words, false);
    for (const player of players) {
      const dot = this.#dots.get(player.id) ?? this.#newDot(player);
      dot.style.left = `${farOf(player) * 100}%`;
      dot.classList.toggle('own-dot', player.id === me?.id);
      dot.classList.toggle('still', Boolean(player.still));
    }
    const ids = new Set(players.map(({ id }) => id));
    for (const [id, dot] of this.#dots) {
      if (ids.has(id)) continue;
      dot.remove();
      this.#dots.delete(id);
    }
  }

  #newDot(player) {
    const dot = h('span', { class: `badge player-${colour(player)}` }, `${player.number}`);
    this.#dots.set(player.id, dot);
    this.element.append(dot);
    return dot;
  }
}
