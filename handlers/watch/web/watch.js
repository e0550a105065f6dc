// The page of spectators (`#/watch/LINK`): the text with all carets, the standings, and the result.

import { get } from '/web/api.js';
import { countDown } from '/web/countdown.js';
import { tellLoss } from '/web/loss.js';
import { ranking, standing } from '/web/players.js';
import { go } from '/web/router.js';
import { clock, count, nth, sentence } from '/web/sentences.js';
import { style } from '/web/slots.js';
import { address, openSocket } from '/web/socket.js';
import { Standings, Strip } from '/web/standings.js';
import { TextView } from '/web/text.js';
import { begin } from '/web/typing.js';
import { bareName, h, keyHints, onEscape, put, say } from '/web/ui.js';
import { EMPTY, ticked, told } from './scene.js';

const TITLES = { lobby: 'Waiting for the race', countdown: 'Get ready to watch', running: 'Watching a race', over: 'The race is over' };

const GONE = 'This race is over or does not exist, or it may not be watched.';

export function show(main, link) {
  style('/web/modules/watch/watch.css');
  if (!link) {
    put(main, h('h1', {}, 'Watch a race'), h('p', {}, 'Ask a player for a link: “Share a link to watch” is on the page of every race.'));
    return undefined;
  }
  const page = new WatchPage(main, link);
  return () => page.leave();
}

class WatchPage {
  #scene = EMPTY;
  #socket;
  #shown = null;
  #ends = [];
  #stopCounting = () => {};

  constructor(main, link) {
    this.main = main;
    this.heading = h('h1', { tabindex: -1 }, 'Watch a race');
    this.loss = h('div');
    this.lead = h('p', { class: 'big-count', role: 'timer', 'aria-hidden': 'true' });
    this.facts = h('p', { class: 'facts' });
    this.body = h('div');
    this.ways = h('p', { class: 'ways' });
    const keys = keyHints([[['Esc'], 'Leave']]);
    put(main, h('div', { class: 'watching' }, this.heading, this.loss, this.lead, this.facts, this.body, this.ways, keys));
    const ticking = setInterval(() => this.#showTime(), 1_000);
    this.#ends.push(() => clearInterval(ticking), onEscape(() => go('#/')), tellLoss(main, this.loss));
    this.#socket = openSocket(() => address('/watch/live/ws', { link }), () => this.#before(link), {
      frame: (frame) => this.#hear(frame),
      stop: (code) => this.#stop(code),
      // Too many are watching already.
      refused: () => this.#stop('TOO_MANY_REQUESTS'),
    });
  }

  // Also tells why there is nothing to watch, which a refused socket does not.
  async #before(link) {
    this.#take(told(this.#scene, await get(`/watch/${encodeURIComponent(link)}`), performance.now()));
  }

  #hear(frame) {
    if (frame.event === 'WATCHING') this.#take(told(this.#scene, frame, performance.now()));
    else if (frame.event === 'CARETS') this.#take(ticked(this.#scene, frame, performance.now()));
  }

  #take(scene) {
    const before = this.#scene;
    this.#scene = scene;
    if (scene.stage !== before.stage || this.#shown === null) this.#build();
    this.#tell(before);
    this.#show();
    // Nothing more comes, but perhaps the replay.
    if (scene.stage === 'over' && scene.replay !== null) this.#socket?.close();
  }

  // For screen readers: results as they come, and the stage.
  #tell(before) {
    const { players, stage } = this.#scene;
    if (stage !== before.stage) say(stage === 'running' ? 'Go!' : TITLES[stage]);
    const isNew = ({ id, finished }) => finished && !before.players.find((it) => it.id === id)?.finished;
    if (before.players.length === 0) return;
    const result = (player) => `${bareName(player)} has finished${player.bot || player.unranked ? '' : `, ${nth(player.rank)}`}`;
    const news = players.filter(isNew).map(result);
    if (news.length > 0) say(news.join('. '));
  }

  #build() {
    const { stage, words, lines, starts } = this.#scene;
    this.#shown = stage;
    this.heading.textContent = TITLES[stage];
    this.#stopCounting();
    this.lead.textContent = '';
    if (stage === 'countdown' && starts !== null) {
      this.#stopCounting = countDown(starts, (seconds) => (this.lead.textContent = seconds > 0 ? seconds : '…'));
    }
    this.text = words.length > 0 && stage !== 'over' ? new TextView(words, lines) : null;
    this.strip = this.text && new Strip(words);
    this.standings = words.length > 0 ? new Standings(words, stage === 'over') : null;
    this.people = stage === 'lobby' ? h('ul', { class: 'people', 'aria-label': 'Players in the lobby' }) : null;
    const parts = [this.people, this.strip?.element, this.standings?.element, this.text && h('div', { class: 'stage' }, this.text.element)];
    const readable = this.text && h('p', { class: 'unseen' }, words.join(' '));
    this.body.replaceChildren(...[...parts, readable].filter(Boolean));
  }

  #show() {
    const { stage, words, lines, players, replay } = this.#scene;
    const race = this.#race();
    this.people?.replaceChildren(...players.map((player) => h('li', {}, player.name)));
    const ordered = stage === 'over' ? ranking(players, words, null) : standing(players, words);
    this.standings?.show(race, ordered);
    this.strip?.show(race);
    // The text scrolls with the leading typist.
    const leader = ordered.find(({ finished }) => !finished) ?? ordered[0];
    this.text?.show(begin(words, [...lines.keys()]), players, undefined, leader);
    const wayOn = h('a', { href: '#/lobby' }, 'Play a race');
    const film = replay !== null && h('a', { href: `#/replays/${replay}` }, 'Watch the replay');
    if (stage === 'over' && this.ways.childElementCount < (replay === null ? 1 : 2)) this.ways.replaceChildren(...[film, wayOn].filter(Boolean));
    this.#showTime();
  }

  // The race as the standings expect it: of no player's own page.
  #race() {
    const { stage, limit, players } = this.#scene;
    const me = stage === 'over' ? { id: null, finished: true } : null;
    return { me, limit, players, secondsRaced: this.#seconds(), figures: {}, record: { isFair: true } };
  }

  #seconds() {
    const { begun, limit } = this.#scene;
    if (begun === null || begun === undefined) return 0;
    return Math.min((performance.now() - begun) / 1000, limit ?? Infinity);
  }

  #showTime() {
    const { stage, limit, spectators } = this.#scene;
    const seconds = this.#seconds();
    const time = stage === 'running' && (limit === null ? clock(seconds) : `${clock(limit - seconds)} left`);
    const watching = stage !== 'over' && spectators > 0 && count(spectators, 'spectator', 'spectators');
    const words = [time, watching].filter(Boolean);
    const shown = words.join(' · ');
    if (this.facts.textContent !== shown) this.facts.textContent = shown;
  }

  #stop(code) {
    this.#socket = null;
    if (this.#shown === 'over') return;
    this.leave();
    const words = ['GAME_NOT_FOUND', 4504].includes(code) ? GONE : sentence(code);
    this.main.replaceChildren(h('h1', {}, 'Watch a race'), h('p', { class: 'failed', role: 'alert' }, words), h('p', { class: 'ways' }, h('a', { href: '#/lobby' }, 'Play a race')));
  }

  leave() {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#stopCounting();
    this.#socket?.close();
    this.#socket = null;
  }
}
