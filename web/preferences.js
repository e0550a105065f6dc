// The player's preferences in this browser: theme, sounds, the text for practice and races with friends, and the time of
// races against the clock.

import { recall, remember } from './store.js';

export const THEMES = { system: 'System', light: 'Light', dark: 'Dark', storm: 'Storm', paper: 'Paper' };
export const WORDS = [25, 50, 100];

// `query` is what modules add to the query of lobbies of the player's own.
const DEFAULTS = { theme: 'system', sounds: false, words: null, punctuation: false, numbers: false, seconds: 60, query: {} };

export const preferences = () => ({ ...DEFAULTS, ...recall('preferences') });

export function prefer(change) {
  const chosen = { ...preferences(), ...change };
  remember('preferences', chosen);
  const { dataset } = document.documentElement;
  if (chosen.theme === 'system') delete dataset.theme;
  else dataset.theme = chosen.theme;
}

// The text choice, for the query of the lobby's socket. Defaults are left to the server.
export function textQuery() {
  const { words, punctuation, numbers, query } = preferences();
  return { ...query, ...(words && { words }), ...(punctuation && { punctuation }), ...(numbers && { numbers }) };
}
