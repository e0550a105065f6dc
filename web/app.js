// Starts the client: which hash leads to which page.

import { isThere } from './api.js';
import { hasSocket } from './connection.js';
import { mark } from './mark.js';
import { leave } from './pages/account.js';
import * as home from './pages/home.js';
import * as join from './pages/join.js';
import * as lobby from './pages/lobby.js';
import * as login from './pages/login.js';
import * as profile from './pages/profile.js';
import * as race from './pages/race.js';
import * as result from './pages/result.js';
import * as settings from './pages/settings.js';
import { addPages, go, start } from './router.js';
import { loginSentence, sentence } from './sentences.js';
import { whoAmI } from './session.js';
import { modulePages } from './slots.js';
import { h } from './ui.js';

start({
  '': home,
  lobby: lobby.open,
  solo: lobby.solo,
  timed: lobby.timed,
  join,
  race,
  result,
  profile,
  login,
  settings,
});

modulePages().then((pages) => {
  addPages(pages);
  const listed = Object.entries(pages).filter(([, page]) => page.listed);
  const links = listed.map(([path, { title }]) => h('a', { href: `#/${path}` }, title));
  document.querySelector('nav').prepend(...links);
});

document.getElementById('brand').prepend(mark());
document.getElementById('log-out').addEventListener('click', () => leave().catch(({ code }) => go('#/', sentence(code))));

// A failed login lands here.
const reason = new URLSearchParams(location.search).get('reason');
if (reason !== null) {
  history.replaceState(null, '', '/');
  go('#/login', loginSentence(reason));
}

// The header shows the name; without an answer it stays as it is.
whoAmI().catch(() => {});

// Pages without a socket check the connection from time to time.
const LOOK = 15_000;
addEventListener('online', () => isThere());
setInterval(() => document.hidden || hasSocket() || isThere(), LOOK);

addEventListener('unhandledrejection', ({ reason: fault }) => {
  console.error(fault);
  const main = document.getElementById('page');
  if (main.querySelector('h1') === null) main.textContent = 'Something went wrong. Please reload the page.';
});
