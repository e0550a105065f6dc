// Grades of results, and why they are not verified, in words.

import { h } from '/web/ui.js';

const NAMES = { verified: 'Verified', positions: 'Timed', claimed: 'Claimed' };

const MEANINGS = {
  verified: 'the server has counted every key',
  positions: 'the server has seen the caret, and measured the time',
  claimed: 'the figures are those of the player’s page alone',
};

const REASONS = {
  no_edits: 'This page sends where the caret is, not what is typed.',
  not_whole: 'The keys on record do not lead to the end of the text.',
  clock_off: 'The last keys came late, or the clock of the device went differently.',
  other_figures: 'The result is another one than that of the keys on record.',
  signals: 'Some of it looks as if a program had typed.',
  not_seen: 'The server has seen too few keys.',
};

const SIGNALS = {
  pasted: 'Several words came at once.',
  too_even: 'The time between the keys hardly changes.',
  too_fast: 'It is faster than any person types.',
};

// A mark with the name of the grade; null without one.
export const gradeMark = (outcome) =>
  outcome.grade &&
  h('span', { class: `grade ${outcome.grade}`, title: inWords(outcome) }, NAMES[outcome.grade] ?? outcome.grade);

export function inWords({ grade, reason, signals = [] }) {
  const meaning = MEANINGS[grade] ? `${NAMES[grade]}: ${MEANINGS[grade]}.` : '';
  return [meaning, REASONS[reason], ...signals.map((signal) => SIGNALS[signal])].filter(Boolean).join(' ');
}

// The link that saves the signed result; null without a result.
export const signedLink = ({ result_id: id }, words = 'Signed result') =>
  id && h('a', { href: `/api/v1/results/${id}`, download: `typephoon-result-${id}.json` }, words);
