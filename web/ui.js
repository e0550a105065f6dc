// Helpers for the page.

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

// Appends children; ignores `null`, `undefined` and `false`.
export function put(element, ...children) {
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

// Announces words to screen readers. `urgent` ones interrupt others.
export function say(words, urgent = false) {
  document.getElementById(urgent ? 'urgent' : 'polite').textContent = words;
}

// The message of a failure, with a retry button, for what a page could not load.
export function trouble(failure, again) {
  return h(
    'div',
    { class: 'notice', role: 'alert' },
    h('p', {}, sentence(failure.code)),
    h('button', { type: 'button', onclick: again }, 'Try again'),
  );
}

// A button for an action that may fail: disabled while it runs, and shows why it failed.
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

// A name without the "(bot)" suffix, which is shown separately.
export const bareName = ({ name }) => name.replace(/ \(bot\)$/, '');

// The name of a ghost says what it is.
export const botMark = ({ bot, ghost }) => bot && !ghost && h('span', { class: 'mark' }, 'bot');

export const onEscape = (act) => {
  // Escape ends a composition first.
  const press = (event) => event.key === 'Escape' && !event.isComposing && act();
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
};

// Milliseconds in which Enter may still be meant for the previous page.
const HABIT = 1_000;

// Enter, if no focused element handles it.
export const onEnter = (act) => onEnterWith(false, act);

// The same with Alt, for modules: pages have Enter without it.
export const onAltEnter = (act) => onEnterWith(true, act);

const onEnterWith = (alt, act) => {
  const begun = performance.now();
  const press = (event) => {
    const isOurs = event.key === 'Enter' && event.altKey === alt && !event.repeat && !event.isComposing;
    if (!isOurs || event.target.closest('a, button, input, select, summary')) return;
    if (performance.now() - begun > HABIT) act(event);
  };
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
};

// The key hints: [[[key, …], words], …].
export const keyHints = (hints) =>
  h(
    'p',
    { class: 'keys' },
    hints.map(([keys, words]) => h('span', {}, keys.map((key) => h('kbd', {}, key)), ` ${words}`)),
  );
