// Hash routes. A page is a module with `title` and `show(main, argument)`, which may return a function that
// is called when the page is left. Pages with `passing` are not kept in the history, so that Back never leads
// into a lobby or race that is over.

import { h } from './ui.js';

let pages = {};
let page = null;
let leave = null;
let notice = '';
// The hash of the shown page. The browser reports a change of the hash asynchronously.
let shown = null;
// Number of pages shown so far.
let visits = 0;

export function start(routes) {
  pages = routes;
  addEventListener('hashchange', () => location.hash !== shown && render());
  render();
}

// Adds pages of modules; one of them may be the page that was asked for.
export function addPages(more) {
  pages = { ...more, ...pages };
  if (nameOf(location.hash) in more) render();
}

// `words` are shown on the next page. Going to the current page renders it again, unless its rendering is
// still pending: a second one would close what the first one opened.
export function go(hash, words = '') {
  notice = words;
  if (shown === hash && location.hash === hash) render();
  else if (location.hash === hash) return;
  else if (page?.passing) location.replace(hash);
  else location.hash = hash;
}

// For code after an `await`: returns a function that tells whether the page is still the same.
export function here() {
  const visit = visits;
  return () => visit === visits && location.hash === shown;
}

const partsOf = (hash) => hash.replace(/^#\/?/, '').split('/');
const nameOf = (hash) => partsOf(hash)[0];

function render() {
  visits += 1;
  shown = location.hash;
  leave?.();
  leave = null;
  const name = nameOf(location.hash);
  const [, argument = ''] = partsOf(location.hash);
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
