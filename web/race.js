// The race of this tab: its socket, clock, text and players, from the lobby's end to the result. Pages
// come and go while it runs; a reload builds it again from the store.

import { get, insist, post } from './api.js';
import { deadlineIn } from './countdown.js';
import { Roster } from './roster.js';
import { address, openSocket } from './socket.js';
import * as store from './store.js';
import { begin, figures, letters, lettersAt, position, slips, type } from './typing.js';

// What the server tells of results may get lost on the way; while somebody types, one looks so often.
const LOOK = 10_000;

// START comes once to each player. So long after the countdown another window of the same player has
// taken it, or it was lost: a fresh socket is told RESUME then. More tries than these make no sense.
const START_LATE = 2_000;
const START_TRIES = 3;

// Races that the browser remembers.
const PAST = 10;

// So much, in milliseconds, may the server's clock differ from one's own before it is believed more.
const DRIFT = 1_000;

let running = null;

// Begins the race that a lobby led to. `kind` is `open`, `solo` or `friends`.
export function beginRace(gameId, kind) {
  leaveRace();
  const start = { start: null, isFair: false };
  const fresh = { gameId, kind, ...start, state: null, samples: [], ends: [], claim: null, sent: false };
  // Another tab of this browser may have begun it.
  const copy = store.recall('race');
  store.save('race', copy?.gameId === gameId ? { ...fresh, ...copy } : fresh);
}

const KINDS = { open: 'open', single: 'solo', invited: 'friends' };

// The race that this player is in the middle of, by what the server knows; null if there is none. A tab that has it
// not takes it over.
export async function findRace() {
  const { game } = await get('/game/current');
  if (game === null) return null;
  if (theRace()?.record.gameId !== game.game_id) beginRace(game.game_id, KINDS[game.kind]);
  return theRace();
}

// The race of this tab, or null if there is none.
export function theRace() {
  const record = store.load('race');
  if (record === null) return null;
  if (running?.record.gameId !== record.gameId) running = new Race(record);
  return running;
}

export function leaveRace() {
  running?.close();
  running = null;
  store.forget('race');
}

// A tab that is closed leaves all that was typed to the next one.
addEventListener('pagehide', () => running?.copy());

class Race {
  words = [];
  // When the countdown ends, as far as one can know before START.
  deadline = null;
  // The failure code or close code with which all ended.
  ended = null;
  // Why the server did not take the result.
  refusal = null;
  #roster;
  #listeners = new Set();
  #socket = null;
  #isConnected = false;
  // How often the race was closed: who still opens it then has gone.
  #closings = 0;
  #looking = null;
  #ageing = null;
  #waiting = null;
  #sending = false;

  constructor(record) {
    this.record = { ends: [], ...record };
    this.#roster = new Roster(record.gameId, () => this.#tell('players'));
  }

  // `heard(what)` is told `players`, `start`, `typed`, `done`, `sent`, `rematch` and `end`. Hands out a function
  // that ends it.
  listen(heard) {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  #tell(what) {
    for (const heard of this.#listeners) heard(what);
  }

  // Loads what is missing, and connects. Fails if that cannot be had now.
  async open() {
    const { gameId } = this.record;
    const closings = this.#closings;
    if (this.words.length === 0) {
      const [{ words }, { seconds_left: left }] = await Promise.all([
        get(`/game/words?game_id=${gameId}`),
        get(`/game/countdown?game_id=${gameId}`),
        this.#roster.read(),
      ]);
      this.words = words.split(' ');
      this.deadline = deadlineIn(left);
      this.record.state ??= begin(this.words);
      this.#roster.moveMe(position(this.record.state));
    }
    if (closings !== this.#closings) return;
    this.#connect();
    if (this.record.claim && !this.record.sent) this.#send();
  }

  #connect() {
    this.#socket ??= openSocket(
      () => address('/game/ws', { game_id: this.record.gameId }),
      () => this.#roster.read(),
      {
        open: () => this.#catchUp(),
        lost: () => (this.#isConnected = false),
        frame: (frame) => this.#hear(frame),
        stop: (code) => this.#end(code),
        isUrgent: () => this.isOn && !this.isDone,
      },
    );
    this.#looking ??= setInterval(() => this.#look(), LOOK);
    this.#ageing ??= setInterval(() => this.#age(), 1_000);
    if (!this.isOn) this.#await(this.deadline - performance.now() + START_LATE, START_TRIES);
  }

  #await(pause, tries) {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      if (this.isOn) return;
      this.#socket?.renew();
      if (tries > 1) this.#await(START_LATE, tries - 1);
    }, pause);
  }

  #hear({ event, user_id: id, seconds, ...rest }) {
    if (event === 'START') this.#start(Date.now(), this.#isOnTime());
    else if (event === 'RESUME') this.#resume(Date.now() - seconds * 1000);
    else if (event === 'KEY_STOKE') this.#roster.move(id, rest);
    else if (event === 'USER_FINISHED') this.readResult().catch(() => {});
    else if (event === 'REMATCH') this.#callBack(id);
    else if (event === 'GAME_END') this.#end('GAME_NOT_FOUND');
  }

  // Another player wants a rematch.
  #callBack(id) {
    const { callers = [] } = this.record;
    if (id === this.me?.id || callers.includes(id)) return;
    this.record.callers = [...callers, id];
    this.#keep();
    this.#tell('rematch');
  }

  // Players waiting for a rematch.
  get callers() {
    return this.players.filter(({ id }) => this.record.callers?.includes(id));
  }

  // The clock runs from START as this page heard it, and on while the machine sleeps.
  #start(start, isFair) {
    if (this.isOn) return;
    Object.assign(this.record, { start, isFair });
    this.#roster.greet();
    this.#keep();
    this.#tell('start');
  }

  // It comes after a reload or a loss, and changes nothing, unless somebody has set the clock meanwhile.
  #resume(start) {
    this.#start(start, false);
    if (Math.abs(start - this.record.start) < DRIFT) return;
    this.record.start = start;
    this.#keep();
  }

  // Whether the others began when this page did. Else nothing is known of their speed.
  #isOnTime() {
    return Math.abs(performance.now() - this.deadline) < START_LATE;
  }

  get me() {
    return this.#roster.me;
  }

  get players() {
    return this.#roster.list;
  }

  get isOn() {
    return this.record.start !== null;
  }

  // Whether this player is through.
  get isDone() {
    return this.record.claim !== null || Boolean(this.me?.finished);
  }

  // Whether there is something to come back to.
  get isOpen() {
    return !this.isDone && this.ended === null;
  }

  get seconds() {
    if (!this.isOn) return 0;
    return this.record.claim?.seconds ?? this.#now();
  }

  #now() {
    return (Date.now() - this.record.start) / 1000;
  }

  // For the others, who may still type.
  get secondsRaced() {
    return this.isOn ? this.#now() : 0;
  }

  get figures() {
    return figures(this.record.state, this.seconds);
  }

  // The input reads `value` now.
  type(value, composing) {
    this.become(type(this.record.state, value, composing));
  }

  become(state) {
    if (!this.isOn || this.isDone) return;
    const before = position(this.record.state);
    this.record.state = state;
    const now = position(state);
    const over = state.done ? state.words.length : now.word_index;
    for (let word = before.word_index; word < over; word += 1) this.record.ends[word] = this.seconds;
    const isMoved = now.word_index !== before.word_index || now.char_index !== before.char_index;
    if (isMoved) this.#sayPosition();
    this.#roster.moveMe(now);
    if (state.done) this.#finish();
    else this.#keep();
    this.#tell('typed');
  }

  // Once a second, for the graph.
  sample() {
    // In the first second each letter would be a peak.
    if (!this.isOn || this.isDone || this.seconds < 1) return;
    this.#sampleAt(this.seconds);
    this.#keep();
    this.copy();
  }

  // For other tabs of this browser. Not at each key: it costs time.
  copy() {
    if (running === this) store.remember('race', this.record);
  }

  #sampleAt(at) {
    const { state, samples } = this.record;
    const others = this.players.filter((player) => player !== this.me);
    const rivals = Object.fromEntries(others.map(({ id, position: where }) => [id, lettersAt(this.words, where)]));
    samples.push({ at: Math.round(at * 100) / 100, ...letters(state), slips: slips(state), rivals });
  }

  #finish() {
    const seconds = this.#now();
    this.#sampleAt(seconds);
    const claim = { ...figures(this.record.state, seconds), seconds };
    const { best = 0, last = [] } = store.recall('past') ?? {};
    Object.assign(this.record, { claim, best });
    store.remember('past', { best: Math.max(best, claim.wpm), last: [claim.wpm, ...last].slice(0, PAST) });
    this.#keep();
    this.copy();
    this.#tell('done');
    this.#send();
  }

  // The result has been shown.
  see() {
    this.record.isSeen = true;
    this.#keep();
  }

  // A result must not get lost: it is sent until the server takes or refuses it. Sent twice, it counts
  // once.
  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    const { gameId, claim } = this.record;
    const { wpm, wpm_raw, acc } = claim;
    const send = () => post('/game/statistics', { game_id: gameId, wpm, wpm_raw, acc });
    try {
      await insist(send, () => running === this);
      this.record.sent = true;
    } catch ({ code }) {
      this.refusal = code;
    }
    this.#sending = false;
    if (running !== this) return;
    this.#keep();
    await this.readResult().catch(() => {});
    this.#tell('sent');
  }

  // After a loss: what was missed is asked for, and where one is now is told, until the result is taken: the
  // server judges it by the positions that it has seen.
  #catchUp() {
    this.#isConnected = true;
    this.#roster.greet();
    if (this.isDone) this.readResult().catch(() => {});
    if (!this.record.sent) this.#sayPosition();
  }

  // Absolute, so only the newest counts: what was typed while the socket was away needs no repetition.
  #sayPosition() {
    const { gameId, state } = this.record;
    if (state) this.#socket?.send({ game_id: gameId, event: 'KEY_STOKE', ...position(state) });
  }

  readResult() {
    return this.#roster.readResult();
  }

  // Of nobody it can be said that they do not move while one hears nothing.
  #age() {
    if (this.isOn && this.#isConnected) this.#roster.age();
  }

  #look() {
    if (this.players.every((player) => player.finished)) clearInterval(this.#looking);
    else if (this.isDone) this.readResult().catch(() => {});
  }

  #end(code) {
    this.ended = code;
    this.close();
    this.#tell('end');
  }

  #keep() {
    if (running === this) store.save('race', this.record);
  }

  close() {
    this.#closings += 1;
    for (const timer of [this.#looking, this.#ageing, this.#waiting]) clearInterval(timer);
    this.#looking = this.#ageing = null;
    this.#isConnected = false;
    this.#socket?.close();
    this.#socket = null;
  }
}
