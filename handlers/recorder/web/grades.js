// Grades of results, and why they are not verified, in words.

import { GRADES } from '/web/sentences.js';
import { h } from '/web/ui.js';

const MEANINGS = {
  verified: 'the server checked every key',
  positions: 'checked by position and time only',
  claimed: 'the figures are those of the player’s page alone',
};

const REASONS = {
  no_edits: 'This page sends where the caret is, not what is typed.',
  not_whole: 'The keys on record do not lead to the end of the text.',
  clock_off: "The last keys arrived late, or the device's clock is off.",
  other_figures: 'The result differs from the recorded keys.',
  signals: 'Parts look automated.',
  not_seen: 'The server has seen too few keys.',
};

const SIGNALS = {
  pasted: 'Several words came at once.',
  too_even: 'The rhythm is unusually even.',
  too_fast: 'It is faster than any person types.',
  flawless: 'So long a text without a single mistake is rare.',
  repeated: 'The keys came at the same moments as in an earlier race.',
};

// A mark with the name of the grade; null without one.
export function gradeMark(outcome) {
  const { grade, struck } = outcome;
  const name = struck ? 'Struck' : (GRADES[grade] ?? grade);
  return grade && h('span', { class: `grade ${struck ? 'struck' : grade}`, title: inWords(outcome) }, name);
}

export function inWords({ grade, reason, signals = [], struck }) {
  const meaning = MEANINGS[grade] ? `${GRADES[grade]}: ${MEANINGS[grade]}.` : '';
  const verdict = struck && `An organiser has struck this result: ${struck}`;
  return [meaning, REASONS[reason], ...signals.map((signal) => SIGNALS[signal]), verdict].filter(Boolean).join(' ');
}

// The link that saves the signed result; null without a result.
export const signedLink = ({ result_id: id }, words = 'Signed result') =>
  id && h('a', { href: `/api/v1/results/${id}`, download: `typephoon-result-${id}.json` }, words);
