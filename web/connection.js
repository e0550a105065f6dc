// The connection state in the header: that of the socket while there is one, else whether the last API
// call succeeded.

const TEXTS = {
  idle: 'Online',
  unreachable: 'No connection',
  connecting: 'Connecting…',
  open: 'Connected',
  slow: 'Connection is slow.',
  waiting: 'Connection lost. Reconnecting…',
  restarting: 'The server is restarting. Reconnecting…',
};

// What a player reads beside a slow connection before a race: the server keeps the seat for longer than a probe takes.
export const KEPT_SEAT = 'You keep your seat.';

const watchers = new Set();
let isLost = false;
let socket = null;
let words = '';
let isReachable = true;

// `state` is `connecting`, `open`, `slow`, `waiting` or `restarting`; null when there is no socket any more.
// `reassurance` is shown beside the state.
export function socketIs(state, reassurance = '') {
  socket = state;
  words = reassurance;
  if (state !== 'connecting') lose(state === 'waiting' || state === 'restarting');
  show();
}

// Calls `tell(isLost)` when the socket is lost, and when there is one again. Returns a function that
// stops it.
export function watchLoss(tell) {
  watchers.add(tell);
  if (isLost) tell(true);
  return () => watchers.delete(tell);
}

function lose(isNow) {
  if (isNow === isLost) return;
  isLost = isNow;
  for (const tell of watchers) tell(isNow);
}

export function reached(wasReached) {
  isReachable = wasReached;
  show();
}

export const hasSocket = () => socket !== null;

addEventListener('offline', () => reached(false));

function show() {
  const element = document.getElementById('connection');
  const state = socket ?? (isReachable ? 'idle' : 'unreachable');
  const text = words ? `${TEXTS[state]} ${words}` : TEXTS[state];
  if (element.textContent === text) return;
  // A restart looks like any other loss of the connection.
  element.dataset.state = state === 'restarting' ? 'waiting' : state;
  element.textContent = text;
}
