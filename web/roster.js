// Who is in a race, as the server tells it: kept up to date for as long as the race runs.

import { get } from './api.js';
import { aged, greeted, merged, moved } from './players.js';

export class Roster {
  list = [];
  #myId = null;
  #reading = null;

  // `changed()` is told of each change.
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
    // One has logged in, and does not know the new id yet.
    else await this.read();
  }

  #take(rows, myId) {
    const mine = { before: this.#myId, now: myId };
    this.#myId = myId;
    this.#become(merged(this.list, rows, performance.now(), mine));
  }

  move(id, { word_index, char_index }) {
    // A guest who has logged in goes on under another id.
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

  // From now on it counts who moves.
  greet() {
    this.#become(greeted(this.list, performance.now()));
  }

  // Looks who seems to have left.
  age() {
    const list = aged(this.list, performance.now(), this.#myId);
    if (list !== this.list) this.#become(list);
  }

  #become(list) {
    this.list = list;
    this.changed();
  }
}

// Whether the lobby of this game has become a race in which one sits, and which one still runs.
export const isRacing = (gameId) =>
  get(`/game/players?game_id=${gameId}`).then(
    ({ me }) => me.finished === null,
    (failure) => {
      if (failure.passes) throw failure;
      return false;
    },
  );
