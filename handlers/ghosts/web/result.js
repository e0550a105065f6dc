// On the result: a race against one's own best.

import { get } from '/web/api.js';
import { go } from '/web/router.js';
import { afterResult } from '/web/slots.js';
import * as store from '/web/store.js';
import { action, h } from '/web/ui.js';

export function show(place, host) {
  const { kind, race } = host;
  const challengeIt = (best) => {
    if (kind === 'solo' || kind === 'friends') return host.again(best);
    store.save('extra', best);
    return go('#/solo');
  };
  return afterResult(race, () => race.me?.finished, async () => {
    const { challenge, player } = await get('/ghosts/best').catch(() => ({ challenge: null }));
    if (challenge === null) return false;
    place.replaceChildren(h('p', {}, action('Race your best', () => challengeIt({ challenge, player }))));
    return true;
  });
}
