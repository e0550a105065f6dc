// The players of a race, kept in sync with the server while the race runs.

import { get } from './api.js';
import { aged, greeted, merged, moved } from './players.js';

export class Roster {
  list = [];
  #myId = null;
  #reading = null;

  // Calls `changed()` after each change.
  constructor(gameId, changed) {
    this.query = `game_id=${gameId}`;
    this.changed = changed;
  }

  get me() {
    return this.list.find(({ id }) => id === this.#myId) ?? null;
  }

  async read() {
    const { me, others } = await get(`/game/players?${this.query}`);
    this.#take([me, ...Object.values(others)], me.id);
  }

  async readResult() {
    const { ranking } = await get(`/game/result?${this.query}`);
    if (ranking.some(({ id }) => id === this.#myId)) this.#take(ranking, this.#myId);
    // The player has logged in, and the new id is not known yet.
    else await this.read();
  }

  #take(rows, myId) {
    const mine = { before: this.#myId, now: myId };
    this.#myId = myId;
    this.#become(merged(this.list, rows, performance.now(), mine));
  }

  move(id, { word_index, char_index }) {
    // A guest who has logged in continues under another id.
    if (!this.list.some((player) => player.id === id)) this.#readOnce();
    this.#become(moved(this.list, id, { word_index, char_index }, performance.now()));
  }

  #readOnce() {
    this.#reading ??= this.read()
      .catch(() => {})
      .finally(() => (this.#reading = null));
  }

  moveMe(position) {
    this.move(this.#myId, position);
  }

  // Starts the detection of players who do not move.
  greet() {
    this.#become(greeted(this.list, performance.now()));
  }

  // Marks players who seem to have left, after `patience` milliseconds.
  age(patience) {
    const list = aged(this.list, performance.now(), this.#myId, patience);
    if (list !== this.list) this.#become(list);
  }

  #become(list) {
    this.list = list;
    this.changed();
  }
}

// Whether this game has become a race that the player is in and has not finished.
export const isRacing = (gameId) =>
  get(`/game/players?game_id=${gameId}`).then(
    ({ me }) => me.finished === null,
    (failure) => {
      if (failure.passes) throw failure;
      return false;
    },
  );
