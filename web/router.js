// Hash routes. A page is a module with `title` and `show(main, argument)`, which may hand out a
// function that is called when the page is left. Pages with `passing` are not kept in the history, so
// that back never leads into a lobby or a race that is over.

import { h } from './ui.js';

let pages = {};
let page = null;
let leave = null;
let notice = '';
// How many pages were shown so far.
let visits = 0;

export function start(routes) {
  pages = routes;
  addEventListener('hashchange', render);
  render();
}

// `words` are shown on the page one gets to.
export function go(hash, words = '') {
  notice = words;
  if (location.hash === hash) render();
  else if (page?.passing) location.replace(hash);
  else location.hash = hash;
}

// For what comes after a wait: hands out whether one is still where one was.
export function here() {
  const visit = visits;
  return () => visit === visits;
}

function render() {
  visits += 1;
  leave?.();
  leave = null;
  const [name, argument = ''] = location.hash.replace(/^#\/?/, '').split('/');
  page = pages[name] ?? pages[''];
  const main = document.getElementById('page');
  document.title = page.title ? `${page.title} – typephoon` : 'typephoon';
  main.replaceChildren();
  main.className = `page-${name || 'home'}`;
  if (notice) main.append(h('p', { class: 'notice', role: 'alert' }, notice));
  notice = '';
  scrollTo(0, 0);
  leave = page.show(main, argument) ?? null;
  if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
}
