// Home: a name, and the ways into a race.

import { get } from '../api.js';
import { theRace } from '../race.js';
import { isRacing } from '../roster.js';
import { go, here } from '../router.js';
import { count } from '../sentences.js';
import { callMe, whoAmI } from '../session.js';
import { recall } from '../store.js';
import { action, h, put } from '../ui.js';
import { playWithFriends } from './invite.js';
import { labelled, nameInput, sayNameFault } from './name.js';

export const title = '';

const LOOK = 15_000;

export function show(main) {
  const name = nameField();
  const failed = h('p', { class: 'failed', role: 'alert' });
  const into = (act) => async () => {
    const isHere = here();
    await name.save();
    if (isHere()) await act();
  };
  const play = async (event) => {
    event.preventDefault();
    failed.textContent = '';
    await into(() => go('#/lobby'))().catch(({ code }) => (failed.textContent = sayNameFault(code)));
  };
  const button = h('button', { class: 'primary', type: 'submit' }, 'Play');
  const online = h('p', { class: 'online' });
  put(
    main,
    h('h1', {}, 'Race others at typing'),
    h('p', { class: 'lead' }, 'Everyone types the same text. First to finish wins.'),
    theRace()?.isOpen && backIntoRace(theRace().record.gameId),
    h('form', { class: 'play', onsubmit: play }, name.element, button, failed),
    h(
      'div',
      { class: 'ways' },
      action('Play with friends', into(playWithFriends)),
      action('Practice alone', into(() => go('#/solo'))),
    ),
    pastRaces(),
    online,
  );
  name.load();
  button.focus({ preventScroll: true });
  return showOnline(online);
}

// What this browser remembers of earlier races; an account has a profile besides.
function pastRaces() {
  const past = recall('past');
  if (!past) return null;
  const last = past.last.map((wpm) => Math.round(wpm)).join(', ');
  return h('p', { class: 'past' }, 'Your best: ', h('strong', {}, `${Math.round(past.best)} WPM`), `. Last races: ${last}.`);
}

function backIntoRace(gameId) {
  const link = h('a', { href: '#/race' }, 'Back to the race');
  const notice = h('p', { class: 'notice', hidden: true }, 'You are in a race. ', link);
  // Without an answer it may still run.
  isRacing(gameId).then(
    (isOn) => (notice.hidden = !isOn),
    () => (notice.hidden = false),
  );
  return notice;
}

// Guests choose a name; an account has one.
function nameField() {
  const input = nameInput();
  const element = h('p', { class: 'name-field' }, labelled(input));
  let known = '';
  return {
    element,
    async load() {
      const me = await whoAmI().catch(() => null);
      if (me === null) return;
      known = me.name;
      // An empty field keeps the name.
      input.placeholder = `Still ${me.name}`;
      // What one has begun to type stays.
      if (me.isGuest) input.value ||= me.name;
      else element.replaceChildren('You play as ', h('strong', {}, me.name));
    },
    async save() {
      const name = input.value.trim();
      if (name !== '' && name !== known && input.isConnected) known = (await callMe(name)).name;
    },
  };
}

function showOnline(element) {
  const look = async () => {
    const { players } = await get('/online').catch(() => ({}));
    // Not every server counts; then nothing is said.
    element.textContent = players ? `${count(players, 'player is', 'players are')} online` : '';
  };
  look();
  const timer = setInterval(() => document.hidden || look(), LOOK);
  return () => clearInterval(timer);
}
