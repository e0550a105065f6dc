// What a player has chosen in this browser: theme, sounds, and the text of races of one's own.

import { recall, remember } from './store.js';

export const THEMES = { system: 'System', light: 'Light', dark: 'Dark', storm: 'Storm', paper: 'Paper' };
export const WORDS = [25, 50, 100];

const DEFAULTS = { theme: 'system', sounds: false, words: null, punctuation: false, numbers: false };

export const preferences = () => ({ ...DEFAULTS, ...recall('preferences') });

export function prefer(change) {
  const chosen = { ...preferences(), ...change };
  remember('preferences', chosen);
  const { dataset } = document.documentElement;
  if (chosen.theme === 'system') delete dataset.theme;
  else dataset.theme = chosen.theme;
}

// The text for the query of a lobby of one's own. What was not chosen is the server's usual text.
export function textQuery() {
  const { words, punctuation, numbers } = preferences();
  return { ...(words && { words }), ...(punctuation && { punctuation }), ...(numbers && { numbers }) };
}
