// The choice of a text, for the home page and lobbies of friends.

import { get } from '/web/api.js';
import { h } from '/web/ui.js';

const NAMES = {
  words: 'Words',
  quotes: 'Quotations',
  code: 'Program code',
  own: 'Your own text',
};

const LANGUAGES = {
  default: 'Standard words',
  javascript: 'JavaScript',
};

const nameOf = (language) => LANGUAGES[language] ?? language[0].toUpperCase() + language.slice(1);

// The kinds that the server offers, each with its languages.
export const offered = async () => (await get('/texts')).kinds.filter(({ kind }) => NAMES[kind]);

// A choice in words.
export function inWords({ kind, language }) {
  if (kind === 'words' && !language) return '';
  return language ? `${NAMES[kind]}: ${nameOf(language)}` : (NAMES[kind] ?? 'The same text again');
}

// The controls. `choose({ kind, language })` is called on a change; `language` is null for the default.
export function controls(kinds, { kind: chosen, language }, choose, legend) {
  const id = `kind-${Math.random().toString(36).slice(2)}`;
  const kind = h(
    'select',
    { id, onchange: () => change() },
    kinds.map((it) => h('option', { value: it.kind, selected: it.kind === chosen }, NAMES[it.kind])),
  );
  const languages = h('select', { 'aria-label': 'Language', onchange: () => tell() });
  const known = () => kinds.find((it) => it.kind === kind.value)?.languages ?? [];
  const fill = (selected) => {
    const option = (name) => h('option', { value: name, selected: name === selected }, nameOf(name));
    languages.replaceChildren(...known().map(option));
    languages.hidden = known().length < 2;
  };
  const tell = () => {
    const [first] = known();
    const picked = languages.hidden || languages.value === first ? null : languages.value;
    choose({ kind: kind.value, language: picked });
  };
  const change = () => {
    fill(null);
    tell();
  };
  fill(language);
  return h('fieldset', { class: 'choices' }, h('legend', {}, legend), h('label', { class: 'unseen', for: id }, 'Kind of text'), kind, languages);
}
