// The connection state in the header: that of the socket while there is one, else whether the last API
// call succeeded.

const TEXTS = {
  idle: 'Online',
  unreachable: 'No connection',
  connecting: 'Connecting…',
  open: 'Connected',
  slow: 'Connection is slow. Keep typing, nothing is lost.',
  waiting: 'Connection lost. Reconnecting…',
  restarting: 'The server is restarting. Reconnecting…',
};

const watchers = new Set();
let isLost = false;
let socket = null;
let isReachable = true;

// `state` is `connecting`, `open`, `slow`, `waiting` or `restarting`; null when there is no socket any more.
export function socketIs(state) {
  socket = state;
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
  if (element.textContent === TEXTS[state]) return;
  // A restart looks like any other loss of the connection.
  element.dataset.state = state === 'restarting' ? 'waiting' : state;
  element.textContent = TEXTS[state];
}
