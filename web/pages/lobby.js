// The lobby, of four kinds: `open` to everyone, `timed` for races against the clock, `solo`, and `friends`, by link
// only.

import { get, insist, post } from '../api.js';
import { KEPT_SEAT } from '../connection.js';
import { countDown, deadlineIn } from '../countdown.js';
import { tellLoss } from '../loss.js';
import { beginRace } from '../race.js';
import { isRacing } from '../roster.js';
import { go } from '../router.js';
import { count, sentence } from '../sentences.js';
import { whoAmI } from '../session.js';
import { slot } from '../slots.js';
import { address, openSocket } from '../socket.js';
import * as store from '../store.js';
import { prefer, textQuery } from '../preferences.js';
import { action, bareName, botMark, h, keyHints, onEnter, onEscape, put, say, trouble } from '../ui.js';
import { inviteLink, playWithFriends, wayTo } from './invite.js';
import { textChoice } from './settings.js';

// Groups several arrivals into one update.
const DEBOUNCE = 50;

// A lobby of friends with this little time left is closing.
const CLOSING = 5;

const page = (kind, title) => ({ title, passing: true, show: (main, token) => show(main, kind, token) });

export const open = page('open', 'Lobby');
export const solo = page('solo', 'Practice');
export const friends = page('friends', 'Lobby of friends');
export const timed = page('timed', 'Against the clock');

const HEADINGS = {
  open: () => 'Waiting for others',
  solo: () => 'Get ready to practise',
  friends: () => 'Waiting for your friends',
  timed: (seconds) => `${count(seconds, 'second', 'seconds')} against the clock`,
};

const DUE = 'Get ready to race';

const NOT_OFFERED = 'The server refused this lobby. It may not offer the text that you have chosen.';

const notOffered = (seconds) => `This server offers no races of ${count(seconds, 'second', 'seconds')}.`;

export const isToken = (text) => /^[a-z0-9]{8,64}$/.test(text);

function show(main, kind, token) {
  if (kind === 'friends' && !isToken(token)) {
    main.append(h('h1', {}, 'This link is incomplete'), h('p', {}, 'Ask your friend to send it again.'));
    return undefined;
  }
  if (kind === 'timed' && !/^[1-9]\d{0,2}$/.test(token)) {
    go('#/', 'This link is incomplete.');
    return undefined;
  }
  const lobby = new Lobby(main, kind, kind === 'timed' ? Number(token) : token);
  lobby.enter();
  const ends = [onEscape(() => lobby.leave()), onEnter(() => lobby.press())];
  return () => {
    for (const end of ends) end();
    lobby.close();
  };
}

class Lobby {
  #gameId = null;
  // Settled when the player has a cookie.
  #known = Promise.resolve();
  #socket = null;
  #debounce = null;
  // Settled when all choices of a text have been sent; how many have not.
  #chosen = Promise.resolve();
  #choosing = 0;
  #stopCounting = () => {};
  #untellLoss = () => {};
  #reads = 0;
  // The players as they were last read, and what modules show.
  #here = { me: null, others: [], invite: null };
  #modules = null;
  #hearers = new Set();

  // `token` is that of an invitation, or the seconds of a race against the clock.
  constructor(main, kind, token) {
    this.main = main;
    this.kind = kind;
    this.token = token;
    this.isPublic = kind === 'open' || kind === 'timed';
    this.heading = h('h1', {}, HEADINGS[kind](token));
    this.key = kind + token;
    // What the result page wants for the next lobby only.
    this.extra = store.load('extra') ?? {};
    store.forget('extra');
    const waiting = store.load('lobby');
    // A reload comes back to its lobby.
    if (waiting?.key === this.key) this.#gameId = waiting.gameId;
    this.players = h('ul', { class: 'people', 'aria-label': 'Players in the lobby' });
    this.why = h('p', { class: 'why', role: 'status' }, 'Looking for a lobby…');
    this.count = h('p', { class: 'big-count', 'aria-hidden': 'true' });
    this.host = h('div', { class: 'host' });
    this.text = h('div');
    this.seats = h('p', { class: 'seats', 'aria-hidden': 'true' });
    this.keys = h('div');
    this.loss = h('div');
    this.note = h('p', { class: 'small' });
  }

  enter() {
    const leave = h('button', { type: 'button', onclick: () => this.leave() }, 'Leave');
    const link = this.kind === 'friends' && inviteLink(this.token);
    const invite = this.kind === 'open' && action('Play with friends instead', playWithFriends);
    const ways = h('p', { class: 'ways' }, leave, invite);
    const goal = this.kind === 'timed' && h('p', { class: 'lead' }, GOAL);
    const news = [goal, this.loss, this.count, this.why];
    const here = [this.players, this.seats];
    this.#modules = slot('lobby', this.#host());
    put(
      this.main,
      this.heading,
      news,
      this.host,
      here,
      this.text,
      this.#modules.element,
      this.note,
      link,
      ways,
      this.keys,
    );
    this.#untellLoss = tellLoss(this.main, this.loss);
    this.#socket = openSocket(
      () => address('/lobby/queue-in/ws', this.#query()),
      () => this.#before(),
      {
        frame: (frame) => this.#hear(frame),
        stop: (code) => go('#/', sentence(code)),
        refused: () => this.#beRefused(),
        isUrgent: () => true,
        reassurance: () => KEPT_SEAT,
      },
    );
  }

  // What modules may use.
  #host() {
    const hear = (event, heard) => {
      const hearer = { event, heard };
      this.#hearers.add(hearer);
      return () => this.#hearers.delete(hearer);
    };
    return {
      gameId: () => this.#gameId,
      kind: this.kind,
      me: () => this.#here.me,
      players: () => [this.#here.me, ...this.#here.others].filter(Boolean),
      // Whether this player is the host of a lobby of friends that still waits.
      isHost: () => this.#here.me !== null && this.#here.invite?.host === this.#here.me.id,
      send: (frame) => this.#socket?.send({ game_id: this.#gameId, ...frame }) ?? false,
      // Frames by their event; `players` is called after the players were read.
      hear,
    };
  }

  #query() {
    const query = {};
    if (this.#gameId !== null) {
      query.queue_in_type = 'reconnect';
      query.prev_game_id = this.#gameId;
    }
    if (this.kind === 'solo') query.game_type = 'single';
    if (this.kind === 'friends') query.invite_token = this.token;
    if (this.kind === 'timed') Object.assign(query, { game_type: 'timed', seconds: this.token });
    return this.isPublic ? query : { ...textQuery(), ...this.extra, ...query };
  }

  // The server closes no socket for a time or a text that it does not offer: it refuses the handshake.
  #beRefused() {
    if (this.kind === 'open' || this.#gameId !== null) return;
    go('#/', this.kind === 'timed' ? notOffered(this.token) : NOT_OFFERED);
  }

  // `whoAmI` renews an expired token, with which the socket would create a new guest. And the
  // lobby may have closed while the connection was down.
  async #before() {
    const me = await whoAmI();
    if (me !== null && this.#gameId !== null && (await isRacing(this.#gameId))) this.#toRace();
  }

  #hear(frame) {
    const { event, game_id: gameId, guest_token_key: key } = frame;
    this.#tell(event, frame);
    if (event === 'INIT') {
      this.#gameId = gameId;
      store.save('lobby', { key: this.key, gameId });
    } else if (event === 'GET_TOKEN') {
      this.#known = this.#insist(() => get(`/auth/guest-token?key=${encodeURIComponent(key)}`));
      this.#known.catch((failure) => this.#fail(failure));
    } else if (['USER_JOINED', 'USER_LEFT', 'USER_READY', 'TEXT_CHOSEN'].includes(event)) {
      clearTimeout(this.#debounce);
      this.#debounce = setTimeout(() => this.#read(), DEBOUNCE);
    } else if (event === 'GAME_START') {
      this.#known.then(() => this.#toRace()).catch(() => {});
    }
  }

  #tell(event, frame) {
    for (const hearer of this.#hearers) if (hearer.event === event) hearer.heard(frame);
  }

  async #read() {
    this.#reads += 1;
    const read = this.#reads;
    const query = `game_id=${this.#gameId}`;
    try {
      await this.#known;
      const about = (path) => get(`/lobby/${path}?${query}`);
      const ask = () => Promise.all([about('players'), about('countdown'), this.#invitation(about)]);
      const [{ me, others }, { seconds_left: left }, invite] = await this.#insist(ask);
      // Answers may overtake each other.
      if (read !== this.#reads || !this.#socket) return;
      this.#show(me, others, left, invite);
      if (this.isPublic) await this.#hurry(me, others);
    } catch (failure) {
      // The lobby has closed meanwhile and GAME_START is on its way. Or the seat was lost, and the socket is about to
      // get another, with a frame of its own.
      const passes = ['GAME_NOT_FOUND', 'NOT_A_PARTICIPANT'].includes(failure.code);
      if (!passes && read === this.#reads) this.#fail(failure);
    }
  }

  // A public lobby needs only the number of seats from it, and does without if invitations are switched off.
  async #invitation(about) {
    if (this.kind === 'solo') return {};
    if (this.kind === 'friends') return about('invite');
    return about('invite').catch(() => ({ player_limit: 0 }));
  }

  // A player alone on the server is ready at once, if bots come.
  async #hurry(me, others) {
    this.bots ??= await get('/lobby/bots').then(({ players }) => players > 1, () => false);
    this.#sayWhy(others);
    if (!this.bots || me.ready || others.length > 0) return;
    const { players } = await get('/online').catch(() => ({}));
    // Otherwise the countdown decides.
    if (players === 1) await this.#beReady().catch(() => {});
  }

  #beReady() {
    return post('/lobby/ready', { game_id: this.#gameId });
  }

  // Enter.
  press() {
    this.host.querySelector('button')?.click();
  }

  #insist(act) {
    return insist(act, () => this.#socket !== null);
  }

  #show(me, others, left, invite) {
    const row = (player) =>
      h(
        'li',
        {},
        bareName(player),
        player.id === me.id && h('span', { class: 'mark' }, 'you'),
        player.id === invite?.host && h('span', { class: 'mark' }, 'host'),
        player.ready && h('span', { class: 'mark ready' }, 'ready'),
        botMark(player),
      );
    this.players.replaceChildren(...[me, ...others].map(row));
    this.#here = { me, others, invite };
    this.#tell('players');
    this.#stopCounting();
    if (this.kind === 'open') this.#showHeading([me, ...others]);
    if (this.kind === 'solo') return this.#count(left, others);
    this.#showSeats(invite.player_limit - others.length - 1);
    const waits = invite.is_private && left > CLOSING;
    if (invite.is_private) this.#showText(invite.text, waits && invite.host === me.id);
    if (waits) this.#showHost(me, others, invite, left);
    else this.#count(left, others);
    this.#offer(me, waits && invite.host === me.id, waits && others.length === 0);
    const when = waits ? '' : `, the race starts in ${count(Math.ceil(left), 'second', 'seconds')}`;
    say(`${count(others.length + 1, 'player is', 'players are')} here${when}`);
  }

  // Without people to wait for, the start is due.
  #showHeading(players) {
    const isDue = players.every(({ bot, ready }) => bot || ready);
    this.heading.textContent = isDue ? DUE : HEADINGS.open();
  }

  // A lobby of friends waits for its host, not for a countdown.
  #showHost(me, others, { host, player_limit: limit }, left) {
    const mine = host === me.id;
    const name = others.find(({ id }) => id === host)?.name ?? 'the host';
    const latest = new Date(Date.now() + left * 1000).toLocaleTimeString([], { timeStyle: 'short' });
    const word = mine ? 'you start it' : `${name} starts it`;
    this.why.textContent = `The race starts when ${word}, when ${limit} players are here, or at ${latest}.`;
    const closing = setTimeout(() => this.#count(CLOSING, others), (left - CLOSING) * 1000);
    this.#stopCounting = () => clearTimeout(closing);
    this.note.textContent = noteFor(wayTo(this.token), others.length === 0 && mine);
  }

  // The text of a race with friends: the host chooses it, the others read which it is.
  #showText(text, isMine) {
    const shown = JSON.stringify([text, isMine]);
    // Until the last choice has arrived, the server tells of earlier ones.
    if (this.text.dataset.shown === shown || this.#choosing > 0) return;
    this.text.dataset.shown = shown;
    let chosen = text;
    const choose = (change) => {
      chosen = { ...chosen, ...change };
      // Rebuilding the controls would lose the focus.
      this.text.dataset.shown = JSON.stringify([chosen, isMine]);
      this.#choose(chosen);
    };
    this.text.replaceChildren(isMine ? textChoice(text, choose, 'Text of this race') : h('p', { class: 'small' }, nameOf(text)));
  }

  // One request after the other, so that the last choice counts. The server tells all players, this one included.
  #choose(text) {
    prefer(text);
    this.#choosing += 1;
    const send = () => post('/lobby/text', { game_id: this.#gameId, ...text });
    this.#chosen = this.#chosen
      .then(send)
      .finally(() => (this.#choosing -= 1))
      .catch(() => this.#read());
  }

  // The one button of the lobby: the host starts the race, other players are ready.
  #offer(me, isHost, isAlone) {
    const label = isHost ? 'Start now' : me.ready || isAlone ? '' : "I'm ready";
    if (this.host.dataset.label === label) return;
    this.host.dataset.label = label;
    const path = isHost ? '/lobby/start' : '/lobby/ready';
    const act = () => post(path, { game_id: this.#gameId });
    this.host.replaceChildren(...(label ? [action(label, act, { class: 'primary' })] : []));
    const keys = [[['Esc'], 'Leave']];
    this.keys.replaceChildren(keyHints(label ? [[['Enter'], label], ...keys] : keys));
  }

  #showSeats(free) {
    this.seats.replaceChildren(...Array.from({ length: Math.max(0, free) }, () => h('span', {}, 'free')));
  }

  #count(left, others) {
    this.#stopCounting = countDown(deadlineIn(left), (seconds) => {
      this.count.textContent = seconds > 0 ? seconds : '…';
      this.isOver = seconds === 0;
      this.#sayWhy(others);
    });
  }

  #sayWhy(others) {
    const why = this.isOver ? 'Here we go!' : this.#why(others);
    if (this.why.textContent !== why) this.why.textContent = why;
  }

  #why(others) {
    if (!this.isPublic) return WHY[this.kind];
    if (others.some(({ bot }) => !bot)) return WHY.open;
    if (others.length > 0) return 'Bots fill the lobby. Anyone who joins now takes the place of one.';
    return this.bots ? 'No one else is here yet. If no one comes, you race bots.' : 'No one else is here yet. Anyone can still join.';
  }

  // Does nothing if the player has left meanwhile.
  #toRace() {
    if (this.#socket === null) return;
    const gameId = this.#gameId;
    this.close();
    store.forget('lobby');
    beginRace(gameId, this.kind);
    go('#/race');
  }

  #fail(failure) {
    if (this.#socket === null) return;
    this.close();
    const again = () => go(location.hash);
    this.main.replaceChildren(this.heading, trouble(failure, again));
  }

  leave() {
    store.forget('lobby');
    go('#/');
  }

  close() {
    clearTimeout(this.#debounce);
    this.#untellLoss();
    this.#stopCounting();
    this.#modules?.end();
    this.#socket?.close();
    this.#socket = null;
  }
}

// A text in words.
function nameOf({ words, punctuation, numbers }) {
  const extras = [punctuation && 'punctuation', numbers && 'numbers'].filter(Boolean).join(' and ');
  return `Text: ${words === null ? 'the usual length' : count(words, 'word', 'words')}${extras && `, with ${extras}`}.`;
}

// A hint while waiting for friends: why they may not be here yet, or how they join.
function noteFor(way, isAlone) {
  if (way === 'again') return 'The others can join with the same button or this link.';
  if (way === null && isAlone) return LATE;
  return '';
}

const GOAL = 'Type as many words as you can. The most correct words win.';

const LATE = 'No one else is here yet. Friends who are still racing can join for the next race.';

const WHY = {
  open: 'The race starts when the countdown ends, or as soon as everyone is ready.',
  solo: 'Getting your text ready.',
  friends: 'Starting…',
};
