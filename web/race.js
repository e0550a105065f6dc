// The race of this tab: its socket, clock, text and players, from the lobby's end to the result. It outlives
// the pages that show it; a reload restores it from the store.

import { get, insist, post } from './api.js';
import { KEPT_SEAT } from './connection.js';
import { deadlineIn } from './countdown.js';
import { Edits, PROTOCOL } from './edits.js';
import { Roster } from './roster.js';
import { address, openSocket } from './socket.js';
import * as store from './store.js';
import { begin, between, figures, letters, lettersAt, position, rightWords, slips, type } from './typing.js';

// Events about results may get lost; while other players type, the result is polled at this interval.
const LOOK = 10_000;
// Against the clock, all results come within three seconds after the end.
const LOOK_IN_TIME = 4_000;

// This long after the end of the time, a page without a keystroke sends its result: the player may have typed in
// another window, and the first result counts.
const IDLE = 1_500;

// The part of a second at the end that gets no point of its own in the graph.
const REMAINDER = 0.5;

// START is told once to each player. This long after the countdown, another window of the player has received
// it, or it was lost; a new socket then gets RESUME. Limited to this many tries.
const START_LATE = 2_000;
const START_TRIES = 3;

// Milliseconds by which this page's clock may differ from the server's before the server's is used.
const DRIFT = 1_000;

let running = null;

// Begins the race that follows a lobby. `kind` is `open`, `solo`, `friends` or `timed`.
export function beginRace(gameId, kind) {
  leaveRace();
  const start = { start: null, isFair: false };
  const fresh = { gameId, kind, ...start, state: null, samples: [], ends: [], edits: [], claim: null, sent: false };
  // Another tab of this browser may have begun it.
  const copy = store.recall('race');
  store.save('race', copy?.gameId === gameId ? { ...fresh, ...copy } : fresh);
}

const KINDS = { open: 'open', single: 'solo', invited: 'friends' };

// Races against the clock are of the kind `timed60` or the like.
const kindOf = (kind) => KINDS[kind] ?? (kind.startsWith('timed') ? 'timed' : 'open');

// The player's running race, as the server knows it; null if there is none. A tab without it takes it over.
export async function findRace() {
  const { game } = await get('/game/current');
  if (game === null) return null;
  if (theRace()?.record.gameId !== game.game_id) beginRace(game.game_id, kindOf(game.kind));
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

// A tab that is closed leaves what was typed for the next one.
addEventListener('pagehide', () => running?.copy());

class Race {
  words = [];
  // The seconds of a race against the clock; null in other races.
  limit = null;
  // What the server tells of the text, if it is not of common words; and its lines after the first: the index of the
  // first word, and the number of blanks before it.
  about = null;
  lines = new Map();
  // The expected end of the countdown, before START.
  deadline = null;
  // The failure code or close code that ended the race.
  ended = null;
  // Why the server refused the result.
  refusal = null;
  #roster;
  #listeners = new Set();
  // Those of module frames, with their events.
  #hearers = new Set();
  #socket = null;
  #edits;
  #isConnected = false;
  // How often the race was closed: an `open` from before is outdated.
  #closings = 0;
  #looking = null;
  #ageing = null;
  #waiting = null;
  #timing = null;
  #sending = false;

  constructor(record) {
    this.record = { ends: [], edits: [], ...record };
    this.#edits = new Edits(this.record.edits, (frame) => this.send(frame));
    this.#roster = new Roster(record.gameId, () => this.#tell('players'));
  }

  // Calls `heard(what)` with `players`, `start`, `typed`, `done`, `sent`, `rematch` and `end`. Returns a
  // function that stops it.
  listen(heard) {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  // Calls `heard(frame)` with each frame of an event that this page does not know. Returns a function that
  // stops it.
  hear(event, heard) {
    const hearer = { event, heard };
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  // Sends a frame of a module; it is lost while there is no connection.
  send(frame) {
    return this.#socket?.send({ game_id: this.record.gameId, ...frame }) ?? false;
  }

  // What modules may use on the pages of the race.
  get host() {
    return {
      gameId: this.record.gameId,
      kind: this.record.kind,
      race: this,
      players: () => this.players,
      me: () => this.me,
      send: (frame) => this.send(frame),
      hear: (event, heard) => this.hear(event, heard),
    };
  }

  #tell(what) {
    for (const heard of this.#listeners) heard(what);
  }

  // Loads what is missing, and connects. Throws if that fails.
  async open() {
    const { gameId } = this.record;
    const closings = this.#closings;
    if (this.words.length === 0) {
      const [{ words, seconds, about }, { seconds_left: left }] = await Promise.all([
        get(`/game/words?game_id=${gameId}`),
        get(`/game/countdown?game_id=${gameId}`),
        this.#roster.read(),
      ]);
      this.words = words.split(' ');
      this.limit = seconds ?? null;
      this.about = about ?? null;
      this.lines = new Map(about?.lines ?? []);
      this.deadline = deadlineIn(left);
      this.record.state ??= begin(this.words, [...this.lines.keys()]);
      this.#roster.moveMe(position(this.record.state));
    }
    if (closings !== this.#closings) return;
    this.#connect();
    if (this.record.claim && !this.record.sent) this.#send();
    this.#keepTime();
  }

  #connect() {
    this.#socket ??= openSocket(
      () => address('/game/ws', { game_id: this.record.gameId }),
      () => this.#roster.read(),
      {
        protocols: [PROTOCOL],
        open: (protocol) => this.#catchUp(protocol),
        lost: () => this.#lose(),
        frame: (frame) => this.#hear(frame),
        stop: (code) => this.#end(code),
        isUrgent: () => !this.isDone,
        reassurance: () => this.#reassurance,
      },
    );
    this.#looking ??= setInterval(() => this.#look(), this.limit === null ? LOOK : LOOK_IN_TIME);
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

  #hear(frame) {
    const { event, user_id: id, seconds, ...rest } = frame;
    for (const hearer of this.#hearers) if (hearer.event === event) hearer.heard(frame);
    if (event === 'START') this.#start(Date.now(), this.#isOnTime());
    else if (event === 'RESUME') this.#resume(Date.now() - seconds * 1000);
    else if (event === 'KEY_STOKE') this.#roster.move(id, rest);
    else if (event === 'EDITS_ACK') this.#acknowledge(rest);
    else if (event === 'USER_FINISHED') this.readResult().catch(() => {});
    else if (event === 'TIME_UP') this.#endTime();
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

  // The clock runs from the arrival of START, also while the machine sleeps.
  #start(start, isFair) {
    if (this.isOn) return;
    Object.assign(this.record, { start, isFair });
    this.#roster.greet();
    this.#keep();
    this.#tell('start');
    this.#keepTime();
  }

  // Ends the race when its time is up.
  #keepTime() {
    clearTimeout(this.#timing);
    if (this.limit === null || !this.isOn || this.isDone) return;
    if (this.left === 0) this.#endTime();
    else this.#timing = setTimeout(() => this.#keepTime(), this.left * 1000);
  }

  // By this page's clock, or by the server's.
  #endTime() {
    if (this.limit !== null && this.isOn && !this.isDone) this.#finish();
  }

  // Sent after a reload or a loss. Changes nothing, unless the clock was set meanwhile.
  #resume(start) {
    this.#start(start, false);
    if (Math.abs(start - this.record.start) < DRIFT) return;
    this.record.start = start;
    this.#keep();
    this.#keepTime();
  }

  // Whether this page saw the others from START; otherwise their speed is unknown.
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

  // Whether this player has finished.
  get isDone() {
    return this.record.claim !== null || Boolean(this.me?.finished);
  }

  // What the player should know while the connection is slow.
  get #reassurance() {
    if (!this.isOn) return KEPT_SEAT;
    return this.isDone ? 'Nothing is lost.' : 'Keep typing, nothing is lost.';
  }

  // Whether the race can still be resumed.
  get isOpen() {
    return !this.isDone && this.ended === null;
  }

  get seconds() {
    if (!this.isOn) return 0;
    return this.record.claim?.seconds ?? this.#now();
  }

  #now() {
    return this.#millis() / 1000;
  }

  // Whole, as the server is told.
  #millis() {
    return Math.round(Date.now() - this.record.start);
  }

  // The seconds left in a race against the clock.
  get left() {
    if (this.limit === null) return null;
    return Math.max(0, this.limit - (this.isOn ? this.#now() : 0));
  }

  // Polls for the others, who may still type.
  get secondsRaced() {
    return this.isOn ? Math.min(this.#now(), this.limit ?? Infinity) : 0;
  }

  get figures() {
    return figures(this.record.state, this.seconds);
  }

  // The input reads `value` now.
  type(value, composing) {
    this.become(type(this.record.state, value, composing), composing);
  }

  become(state, composing = false) {
    if (!this.isOn || this.isDone) return;
    // The timer may be late.
    if (this.left === 0) return this.#endTime();
    const before = position(this.record.state);
    const change = between(this.record.state, state, composing);
    if (change) this.#edits.add(this.#millis(), change);
    this.record.state = state;
    const now = position(state);
    const over = state.done ? state.words.length : now.word_index;
    for (let word = before.word_index; word < over; word += 1) this.record.ends[word] = this.seconds;
    const isMoved = now.word_index !== before.word_index || now.char_index !== before.char_index;
    if (isMoved) this.#sayPosition();
    this.#roster.moveMe(now);
    if (state.done) this.#finish();
    else this.#keep();
    // After the frame with the key: Firefox does not wait for `pagehide` when a tab is closed.
    if (over > before.word_index) setTimeout(() => this.copy());
    this.#tell('typed');
  }

  // Once a second, for the graph.
  sample() {
    // In the first second every letter would be a peak.
    if (!this.isOn || this.isDone || this.seconds < 1 || this.left === 0) return;
    this.#sampleAt(this.seconds);
    this.#keep();
    this.copy();
  }

  // Saves a copy for other tabs of this browser. For each word and not for each key, since it is slow.
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
    clearTimeout(this.#timing);
    const { limit } = this;
    const { state, samples } = this.record;
    // The end is the last edit: the server computes the same from it.
    const seconds = limit ?? this.record.edits.at(-1).at / 1000;
    if (limit !== null && samples.at(-1)?.at > limit - REMAINDER) samples.pop();
    this.#sampleAt(seconds);
    const words = limit === null ? {} : { correct_words: rightWords(state) };
    const claim = { ...figures(state, seconds), ...words, seconds };
    Object.assign(this.record, { claim, best: limit === null ? store.keepSpeed(claim) : store.keepWords(claim) });
    this.#keep();
    this.copy();
    this.#tell('done');
    this.#edits.flush();
    if (state.keys > 0) this.#send();
    else setTimeout(() => this.#send(), IDLE);
  }

  // The result has been shown.
  see() {
    this.record.isSeen = true;
    this.#keep();
  }

  // Sends the result until the server accepts or refuses it. It is idempotent.
  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    const { gameId, claim } = this.record;
    // Without a time limit, the number of correct words is undefined, and left out.
    const { wpm, wpm_raw, acc, correct_words } = claim;
    const send = () => post('/game/statistics', { game_id: gameId, wpm, wpm_raw, acc, correct_words });
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

  // After a loss: reads what was missed, and sends the current position, unless the result is accepted: the
  // server checks it against the positions that it has received.
  #catchUp(protocol) {
    this.#isConnected = true;
    this.#edits.connect(protocol);
    this.#roster.greet();
    if (this.isDone) this.readResult().catch(() => {});
    if (!this.record.sent) this.#sayPosition();
  }

  #lose() {
    this.#isConnected = false;
    this.#edits.connect(null);
  }

  #acknowledge(ack) {
    if (this.record.sent) return;
    this.#edits.acknowledge(ack);
    this.#sayPosition();
  }

  // For servers that take no edits. Positions are absolute, so only the newest must be sent after a loss.
  #sayPosition() {
    const { gameId, state } = this.record;
    if (state && this.#edits.isOff) this.#socket?.send({ game_id: gameId, event: 'KEY_STOKE', ...position(state) });
  }

  readResult() {
    return this.#roster.readResult();
  }

  // While disconnected, no player can be marked as still.
  #age() {
    // Against the clock, the words of a player who has left still count.
    if (this.isOn && this.#isConnected) this.#roster.age(this.limit === null ? undefined : Infinity);
    // Timers stand still while the machine sleeps.
    if (this.left === 0) this.#endTime();
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
    for (const timer of [this.#looking, this.#ageing, this.#waiting, this.#timing]) clearInterval(timer);
    this.#looking = this.#ageing = null;
    this.#isConnected = false;
    this.#socket?.close();
    this.#socket = null;
  }
}
