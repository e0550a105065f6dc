// The player's rating, on the profile and on the result of a race.

import { get } from '/web/api.js';
import { count } from '/web/sentences.js';
import { afterResult } from '/web/slots.js';
import { h } from '/web/ui.js';

const inWords = ({ rating, uncertainty }) => `${Math.round(rating)} ± ${Math.round(2 * uncertainty)}`;

const signed = (change) => `${change < 0 ? '−' : '+'}${Math.abs(Math.round(change))}`;

export function show(place, host) {
  return host.race ? showChange(place, host) : showRating(place);
}

async function showRating(place) {
  const rating = await get('/rating');
  if (rating.races === 0) return;
  const value = h('dd', { 'data-figure': 'rating' }, inWords(rating));
  place.append(
    h('h2', {}, 'Rating'),
    h('dl', { class: 'figures' }, h('div', {}, h('dt', {}, `After ${count(rating.races, 'race', 'races')} against others`), value)),
  );
}

// The server rates a race once all its people have finished.
function showChange(place, { gameId, race }) {
  const people = () => race.players.filter(({ bot }) => !bot);
  const isDecided = () => people().length > 1 && people().every(({ finished }) => finished);
  return afterResult(race, isDecided, async () => {
    const rating = await get('/rating').catch(() => null);
    if (rating?.last?.game_id !== gameId) return rating === null;
    place.replaceChildren(h('p', { 'data-figure': 'rating' }, `Rating: ${inWords(rating)} (${signed(rating.last.change)})`));
    return true;
  });
}
