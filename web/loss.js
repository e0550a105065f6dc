// The notice on a waiting page while the connection is lost.

import { watchLoss } from './connection.js';
import { h, say } from './ui.js';

const WORDS = 'The server is not responding. Reconnecting…';
// Short losses show nothing.
const PAUSE = 1_000;
const LONG = 15_000;

// Puts the notice into `place`; while it is shown, `main` has the class `is-lost`. Returns a function that
// stops it.
export function tellLoss(main, place) {
  const home = h('a', { href: '#/', hidden: true }, 'Home');
  const notice = h('p', { class: 'notice loss', hidden: true }, `${WORDS} `, home);
  let timers = [];
  const tell = (isLost) => {
    notice.hidden = !isLost;
    main.classList.toggle('is-lost', isLost);
    if (isLost) say(WORDS);
  };
  const clear = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  };
  const unwatch = watchLoss((isLost) => {
    clear();
    if (!isLost) tell(false);
    else timers = [setTimeout(tell, PAUSE, true), setTimeout(() => (home.hidden = false), LONG)];
  });
  place.append(notice);
  return () => {
    unwatch();
    clear();
    tell(false);
    notice.remove();
  };
}
