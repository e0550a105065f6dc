// Small help with the page.

import { sentence } from './sentences.js';

// An element: attributes by name, listeners as `onclick` and the like, `true` for bare attributes.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  return put(element, ...children);
}

// Appends children; `null`, `undefined` and `false` are none.
export function put(element, ...children) {
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

// Tells those who do not see the page. `urgent` words interrupt others.
export function say(words, urgent = false) {
  document.getElementById(urgent ? 'urgent' : 'polite').textContent = words;
}

// The sentence of a failure, with a way out. Used for whatever a page could not load.
export function trouble(failure, again) {
  return h(
    'div',
    { class: 'notice', role: 'alert' },
    h('p', {}, sentence(failure.code)),
    h('button', { type: 'button', onclick: again }, 'Try again'),
  );
}

// A button of an action that may fail: it can be pressed once at a time, and says why it failed.
export function action(label, act, attributes = {}) {
  const button = h('button', { type: 'button', ...attributes, onclick: press }, label);
  const failed = h('span', { class: 'failed', role: 'alert' });
  async function press() {
    button.disabled = true;
    failed.textContent = '';
    try {
      await act();
    } catch (failure) {
      failed.textContent = sentence(failure.code);
    }
    button.disabled = false;
  }
  return h('span', { class: 'action' }, button, failed);
}

// A name without the mark of bots, which is shown apart.
export const bareName = ({ name }) => name.replace(/ \(bot\)$/, '');

export const botMark = ({ bot }) => bot && h('span', { class: 'mark' }, 'bot');

export const onEscape = (act) => {
  // Escape ends a composition first.
  const press = (event) => event.key === 'Escape' && !event.isComposing && act();
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
};

// Milliseconds in which Enter may still be meant for the page before.
const HABIT = 1_000;

// Enter, where nothing has the focus that it would press.
export const onEnter = (act) => {
  const begun = performance.now();
  const press = (event) => {
    const isOurs = event.key === 'Enter' && !event.repeat && !event.isComposing;
    if (!isOurs || event.target.closest('a, button, input, select, summary')) return;
    if (performance.now() - begun > HABIT) act(event);
  };
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
};

// Which keys do what: [[[key, …], words], …].
export const keyHints = (hints) =>
  h(
    'p',
    { class: 'keys' },
    hints.map(([keys, words]) => h('span', {}, keys.map((key) => h('kbd', {}, key)), ` ${words}`)),
  );
