// The player's rating, on the profile and on the result of a race.

import { get } from '/web/api.js';
import { count } from '/web/sentences.js';
import { h } from '/web/ui.js';

// The server rates a race once all its people have finished: asked again after these pauses, in milliseconds.
const PAUSES = [500, 1_500, 4_000];

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

function showChange(place, { gameId, race }) {
  let isLeft = false;
  let timer = null;
  let isAsked = false;
  const people = () => race.players.filter(({ bot }) => !bot);
  const read = async (tries) => {
    const rating = await get('/rating').catch(() => null);
    if (isLeft || rating === null) return;
    if (rating.last?.game_id === gameId) {
      place.replaceChildren(h('p', { 'data-figure': 'rating' }, `Rating: ${inWords(rating)} (${signed(rating.last.change)})`));
    } else if (tries < PAUSES.length) {
      timer = setTimeout(() => read(tries + 1), PAUSES[tries]);
    }
  };
  const look = () => {
    const isDecided = people().length > 1 && people().every(({ finished }) => finished);
    if (!isDecided || isAsked) return;
    isAsked = true;
    read(0);
  };
  look();
  const end = race.listen(look);
  return () => {
    isLeft = true;
    clearTimeout(timer);
    end();
  };
}
