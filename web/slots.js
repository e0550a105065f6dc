// What handler modules of the server show on pages of this client: each fills slots with JavaScript modules of its own,
// which export `show(place, host)`. It may return a function that is called when the page is left.

import { h } from './ui.js';

// The list does not change while a page is open. Without an answer, nothing is shown.
let listed = null;

export const slots = () =>
  (listed ??= fetch('/web/modules.json').then(
    (answer) => (answer.ok ? answer.json() : []),
    () => [],
  ));

// Fills a slot of a page. `host` has what the modules may use, see docs/client.md. Returns the element with all
// of them, and `end`, which is called when the page is left.
export function slot(name, host) {
  const element = h('div', { class: 'slot', 'data-slot': name });
  const ends = [];
  let isLeft = false;
  const fill = async (file, place) => {
    const { show } = await import(file);
    const end = isLeft ? null : await show(place, host);
    if (!end) return;
    if (isLeft) end();
    else ends.push(end);
  };
  const fillAll = async () => {
    const entries = (await slots()).filter((it) => it.slot === name);
    if (isLeft) return;
    for (const { file } of entries) {
      const place = h('div');
      element.append(place);
      // A broken module must not break the page.
      fill(file, place).catch((fault) => console.warn(file, fault));
    }
  };
  fillAll();
  const end = () => {
    isLeft = true;
    for (const it of ends) it();
  };
  return { element, end };
}

// Milliseconds between two attempts of `afterResult`.
const PAUSES = [500, 1_500, 4_000];

// For what the server derives from a result: `read` is called once `isReady` holds, and again after some pauses until it
// returns true. Returns the function that ends it.
export function afterResult(race, isReady, read) {
  let [isLeft, isAsked, timer] = [false, false, null];
  const ask = async (tries) => {
    if ((await read()) || isLeft || tries === PAUSES.length) return;
    timer = setTimeout(() => ask(tries + 1), PAUSES[tries]);
  };
  const look = () => {
    if (isAsked || !isReady()) return;
    isAsked = true;
    ask(0);
  };
  look();
  const end = race.listen(look);
  return () => {
    isLeft = true;
    clearTimeout(timer);
    end();
  };
}

// Adds a style sheet of a module, once.
export function style(file) {
  if (document.querySelector(`link[href="${file}"]`)) return;
  document.head.append(h('link', { rel: 'stylesheet', href: file }));
}

// The pages of modules, for the router: { path: page }. Those that are `listed` have a link in the header.
export async function modulePages() {
  const entries = (await slots()).filter(({ slot: name }) => name === 'page' || name === 'unlisted');
  const page = ({ slot: name, title, file }) => ({ title, show: lazily(file), listed: name === 'page' });
  return Object.fromEntries(entries.map((entry) => [entry.path, page(entry)]));
}

// A page that is loaded when it is first shown.
const lazily = (file) => (main, argument) => {
  let isLeft = false;
  let end = null;
  import(file).then(
    async ({ show }) => {
      if (isLeft) return;
      end = (await show(main, argument)) ?? null;
      if (isLeft) end?.();
    },
    (fault) => {
      console.warn(file, fault);
      if (!isLeft) main.append(h('p', {}, 'This page could not be loaded. Please reload it.'));
    },
  );
  return () => {
    isLeft = true;
    end?.();
  };
};
