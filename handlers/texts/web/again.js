// The text that was typed: where it is from, and the same one again.

import { action, h, keyHints, onAltEnter } from '/web/ui.js';

export function show(place, host) {
  const { kind, race, gameId } = host;
  if (race.about?.source) place.append(h('p', { class: 'small' }, `Text: ${race.about.source}`));
  // Against the clock, a text is longer than what can be typed; and an open race has no lobby to return to.
  const isOwn = kind === 'solo' || kind === 'friends';
  if (!isOwn) return;
  const again = action('The same text again', () => host.again({ text: 'again', of: gameId }));
  place.append(h('p', {}, again), keyHints([[['Alt', 'Enter'], 'the same text again']]));
  return onAltEnter(() => again.querySelector('button').click());
}
