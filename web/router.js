// Hash routes. A page is a module with `title` and `show(main, argument)`, which may hand out a
// function that is called when the page is left. Pages with `passing` are not kept in the history, so
// that back never leads into a lobby or a race that is over.

import { h } from './ui.js';

let pages = {};
let page = null;
let leave = null;
let notice = '';
// The hash of the page that is shown. The browser reports a change of the hash later than it makes it.
let shown = null;
// Pages shown so far.
let visits = 0;

export function start(routes) {
  pages = routes;
  addEventListener('hashchange', () => location.hash !== shown && render());
  render();
}

// `words` are shown on the next page. To go to the page that is shown is to show it anew; to a page whose
// rendering is still due, it changes nothing: a second rendering would close what the first one opened.
export function go(hash, words = '') {
  notice = words;
  if (shown === hash && location.hash === hash) render();
  else if (location.hash === hash) return;
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
  shown = location.hash;
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
