// Settings of this browser: theme, sounds, and the text for practice and races with friends.

import { preferences, prefer, THEMES, WORDS } from '../preferences.js';
import { play } from '../sound.js';
import { h, put } from '../ui.js';

export const title = 'Settings';

export function show(main) {
  put(main, h('h1', {}, 'Settings'), h('p', { class: 'lead' }, 'Saved in this browser only.'), themes(), sounds(), textChoice());
}

function themes() {
  const chosen = preferences().theme;
  const box = ([theme, name]) => {
    const choose = () => prefer({ theme });
    const input = h('input', { type: 'radio', name: 'theme', value: theme, checked: theme === chosen, onchange: choose });
    return h('label', { class: 'swatch', 'data-theme': theme === 'system' ? null : theme }, input, name);
  };
  return h('fieldset', { class: 'choices' }, h('legend', {}, 'Theme'), Object.entries(THEMES).map(box));
}

function sounds() {
  const change = ({ target }) => {
    prefer({ sounds: target.checked });
    play('go');
  };
  return h('fieldset', { class: 'choices' }, h('legend', {}, 'Sounds'), tick('Keys, mistakes, start and finish', preferences().sounds, change));
}

// A choice of text, by default the one for practice and races with friends. `choose` is given what changes.
export function textChoice(
  { words, punctuation, numbers } = preferences(),
  choose = prefer,
  legend = 'Text for practice and races with friends',
) {
  const length = h(
    'select',
    { id: 'words', onchange: ({ target }) => choose({ words: Number(target.value) || null }) },
    h('option', { value: '', selected: words === null }, 'Default length'),
    WORDS.map((count) => h('option', { value: count, selected: count === words }, `${count} words`)),
  );
  const switchFor = (name, label, isOn) => tick(label, isOn, ({ target }) => choose({ [name]: target.checked }));
  return h(
    'fieldset',
    { class: 'choices' },
    h('legend', {}, legend),
    h('label', { class: 'unseen', for: 'words' }, 'Length'),
    length,
    switchFor('punctuation', 'Punctuation', punctuation),
    switchFor('numbers', 'Numbers', numbers),
  );
}

const tick = (label, isOn, onchange) =>
  h('label', { class: 'tick' }, h('input', { type: 'checkbox', checked: isOn, onchange }), label);
