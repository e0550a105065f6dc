// The list of players with their progress, speed and place, kept up to date in place.

import { isCompany, progressOf, standing } from './players.js';
import { nth } from './sentences.js';
import { colour } from './text.js';
import { speedAt } from './typing.js';
import { bareName, botMark, h } from './ui.js';

function placeIn(isMixed, order, player) {
  if (player.unranked) return 'not ranked';
  if (isMixed) return nth(order.indexOf(player) + 1);
  return player.bot ? 'done' : nth(player.rank);
}

export class Standings {
  #rows = new Map();

  constructor(words) {
    this.words = words;
    this.element = h('ol', { class: 'standings', 'aria-label': 'Players' });
  }

  // In the order given. Of others only the position is known, and not how fast they got there if they
  // began before this page did; the own speed counts what is right.
  show(race, players = race.players) {
    const { me, secondsRaced: seconds, figures, record } = race;
    const speedOf = (player) => {
      if (player.wpm != null) return player.wpm;
      if (player.id === me?.id) return figures.wpm;
      const isKnown = record.isFair && player.moves && !player.away;
      return isKnown ? speedAt(this.words, player.position, seconds) : null;
    };
    const isMixed = !isCompany(players, me) && players.length > 1;
    const order = standing(players, this.words);
    const rows = players.map((player) => {
      // Bots have no rank. Who meets bots alone is placed among them.
      const place = placeIn(isMixed, order, player);
      return this.#show(player, player.id === me?.id, seconds > 0 ? speedOf(player) : null, place);
    });
    const ids = new Set(players.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    const { children } = this.element;
    // Putting rows anew that are in order already would only disturb who reads them.
    const isSame = children.length === rows.length && rows.every((row, index) => children[index] === row);
    if (!isSame) this.element.replaceChildren(...rows);
  }

  #show(player, isMe, speed, place) {
    const known = this.#rows.get(player.id);
    const row = known?.isMe === isMe ? known : this.#newRow(player, isMe);
    const far = progressOf(player, this.words);
    row.bar.value = far;
    row.speed.textContent = speed === null ? '' : `${Math.round(speed)} WPM`;
    const way = player.away ? 'away' : `${Math.floor(far * 100)} %`;
    row.state.textContent = player.finished ? `${place}, ${Math.round(player.acc)} % right` : way;
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
    const element = h('li', { class: `player-${colour(player)}` }, badge, who, bar, speed, state);
    const row = { element, bar, speed, state, isMe };
    this.#rows.set(player.id, row);
    return row;
  }
}
