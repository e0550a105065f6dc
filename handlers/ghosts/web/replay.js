// On the page of a replay: a race against the player whose keys are shown.

import { playWithFriends } from '/web/pages/invite.js';
import { go } from '/web/router.js';
import * as store from '/web/store.js';
import { action, h } from '/web/ui.js';

export function show(place, { link, replay, chosen }) {
  // A race against the clock has no end of the text.
  if (replay.seconds || !replay.players.some(({ wpm }) => wpm !== null)) return;
  const challenge = () => store.save('extra', { challenge: link, player: chosen() + 1 });
  const alone = action('Race this replay', () => {
    challenge();
    go('#/solo');
  });
  const friends = action('Race this replay with friends', () => {
    challenge();
    return playWithFriends();
  });
  place.append(h('p', { class: 'ways' }, alone, friends));
}
