// Home: the player's name, and the ways into a race.

import { get } from '../api.js';
import { demo } from '../demo.js';
import { mark } from '../mark.js';
import { prefer, preferences } from '../preferences.js';
import { findRace, theRace } from '../race.js';
import { go, here } from '../router.js';
import { count } from '../sentences.js';
import { callMe, whoAmI } from '../session.js';
import { slot } from '../slots.js';
import { recall } from '../store.js';
import { action, h, put } from '../ui.js';
import { playWithFriends } from './invite.js';
import { labelled, nameInput, sayNameFault } from './name.js';
import { textChoice } from './settings.js';

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
  const back = h('p', { class: 'notice', hidden: true });
  const scene = demo();
  const modules = slot('home', {});
  put(
    main,
    h(
      'div',
      { class: 'hero' },
      mark(),
      h(
        'div',
        {},
        h('h1', {}, 'Race others at typing'),
        h('p', { class: 'lead' }, 'Everyone types the same text. First to finish wins.'),
      ),
    ),
    back,
    h('form', { class: 'play', onsubmit: play }, name.element, button, failed),
    h(
      'div',
      { class: 'ways' },
      action('Play with friends', into(playWithFriends)),
      action('Practice alone', into(() => go('#/solo'))),
      clockChoice(into),
    ),
    scene.element,
    online,
    textChoice(),
    modules.element,
    pastRaces(),
  );
  name.load().then((me) => offerWayBack(back, me));
  button.focus({ preventScroll: true });
  const hideOnline = showOnline(online);
  return () => {
    hideOnline();
    modules.end();
    scene.end();
  };
}

// The way into a race against the clock, with a choice of its time.
function clockChoice(into) {
  const choose = ({ target }) => prefer({ seconds: Number(target.value) });
  const seconds = h('select', { 'aria-label': 'Time on the clock', onchange: choose });
  const race = action('Race the clock', into(() => go(`#/timed/${seconds.value}`)));
  const choice = h('span', { class: 'clock', hidden: true }, race, seconds);
  showTimes(choice, seconds);
  return choice;
}

// A server may offer no such races; then nothing is shown.
async function showTimes(choice, select) {
  const { seconds = [] } = await get('/lobby/timed').catch(() => ({}));
  const chosen = preferences().seconds;
  const option = (time) => h('option', { value: time, selected: time === chosen }, count(time, 'second', 'seconds'));
  select.replaceChildren(...seconds.map(option));
  choice.hidden = seconds.length === 0;
}

// Earlier races, from this browser's storage; players with an account also have a profile.
function pastRaces() {
  const past = recall('past');
  if (!past) return null;
  const last = past.last.map((wpm) => Math.round(wpm));
  const mean = Math.round(last.reduce((sum, wpm) => sum + wpm, 0) / last.length);
  const figure = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const bar = (wpm) => {
    const element = h('span', {}, `${wpm}`);
    element.style.setProperty('--part', wpm / Math.max(...last, 1));
    return element;
  };
  return h(
    'section',
    { class: 'past' },
    h('h2', {}, 'Your races'),
    h('dl', { class: 'figures' }, figure('Best', `${Math.round(past.best)} WPM`), figure('Average', `${mean} WPM`)),
    // The newest is on the right, as in the profile.
    h('div', { class: 'bars', role: 'img', 'aria-label': `Last races: ${last.join(', ')} WPM, the newest first` }, last.toReversed().map(bar)),
  );
}

// Offers the way back to a race after its tab was closed or its page was left.
async function offerWayBack(notice, me) {
  const own = theRace()?.isOpen ?? false;
  if (me === null && !own) return;
  // Its result may not have reached the server yet. If the server does not answer, the race may still run.
  const isOn = await findRace().then((race) => race !== null && !race.isDone, (failure) => own && failure.passes);
  if (!isOn || !notice.isConnected) return;
  notice.append('Your race is still running. ', h('a', { href: '#/race' }, 'Back to the race'));
  notice.hidden = false;
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
      if (me === null) return null;
      known = me.name;
      // An empty field keeps the name.
      input.placeholder = `Leave empty to stay ${me.name}`;
      // Do not overwrite what the player has begun to type.
      if (me.isGuest) input.value ||= me.name;
      else {
        element.classList.add('is-known');
        element.replaceChildren('You play as ', h('strong', {}, me.name));
      }
      return me;
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
    // A server may not offer the count; then nothing is shown.
    element.textContent = players ? `${count(players, 'player is', 'players are')} online` : '';
  };
  look();
  const timer = setInterval(() => document.hidden || look(), LOOK);
  return () => clearInterval(timer);
}
