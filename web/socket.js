// A socket that comes back: after a loss it is opened again, with growing pauses, until it is closed
// here or the server says that there is nothing to come back to (close codes 4500-4999).

import { Failure, isThere, wake } from './api.js';
import { socketIs } from './connection.js';

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8_000;
// The server restarts, or another one takes over. Its reason says when to come back: `RESTARTING retry-after=0.25`.
const RESTARTING = 1012;
const RETRY_AFTER = / retry-after=(\d+(?:\.\d+)?)$/;
// A restart that takes more tries than this (8 s or so) is a loss like any other.
const RESTART_TRIES = 6;
// A network that goes away silently leaves a socket open for minutes. After so long without a frame
// the server is asked whether it is there: sooner where every moment counts.
const SILENCE = 10_000;
const SHORT_SILENCE = 2_000;
// An answer that takes longer than this says that the connection is slow.
const SLOW = 1_000;

// `url()` is asked before each attempt, after `before()`, which may fail: with a failure that does
// not pass, the socket stops. `on.frame(frame)`, `on.open()`, `on.lost()`, and `on.stop(code)`, where the code is
// that of a failure or the close code; `on.isUrgent()`, if it is there, says whether every moment counts.
export function openSocket(url, before, on) {
  let socket = null;
  let attempts = 0;
  let timer = null;
  let slow = null;
  let isClosed = false;
  let isRestarting = false;
  // Of attempts that overlap, only the newest goes on.
  let newest = 0;

  async function connect() {
    newest += 1;
    const attempt = newest;
    if (attempts === 0) socketIs('connecting');
    else away();
    try {
      await before();
    } catch (failure) {
      if (attempt === newest) failed(failure);
      return;
    }
    if (attempt === newest) listen(new WebSocket(url()));
  }

  function failed(failure) {
    if (failure instanceof Failure && failure.passes) retry();
    else stop(failure.code ?? 'UNKNOWN_ERROR');
  }

  function listen(fresh) {
    socket = fresh;
    socket.onopen = () => {
      attempts = 0;
      isRestarting = false;
      watch();
      wake();
      on.open?.();
    };
    socket.onmessage = ({ data }) => {
      on.frame(JSON.parse(data));
      // Behind the frame, which may have been START; not if it was the end.
      if (socket === fresh) watch();
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== fresh) return;
      lose();
      if (code >= 4500) return stop(code);
      isRestarting ||= code === RESTARTING;
      retry(pauseIn(reason));
    };
  }

  // A frame has come, or an answer.
  function watch() {
    clearTimeout(timer);
    clearTimeout(slow);
    socketIs('open');
    timer = setTimeout(ask, on.isUrgent?.() ? SHORT_SILENCE : SILENCE);
  }

  async function ask() {
    const asked = socket;
    slow = setTimeout(() => asked === socket && socketIs('slow'), SLOW);
    const answers = await isThere();
    if (asked !== socket) return;
    if (answers) watch();
    else drop();
  }

  // `told` is the pause that the server has chosen for this page, so that not all of them come at once.
  function retry(told) {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempts);
    attempts += 1;
    away();
    clearTimeout(timer);
    timer = setTimeout(connect, told ?? pause * (0.5 + Math.random() / 2));
  }

  function away() {
    socketIs(isRestarting && attempts <= RESTART_TRIES ? 'restarting' : 'waiting');
  }

  function lose() {
    clearTimeout(timer);
    clearTimeout(slow);
    newest += 1;
    const lost = socket;
    socket = null;
    on.lost?.();
    return lost;
  }

  function drop() {
    lose()?.close();
    retry();
  }

  // The browser has no network: the socket is dead, though nobody has told it.
  const wentOffline = () => drop();
  const cameOnline = () => {
    if (socket) return;
    attempts = 0;
    clearTimeout(timer);
    connect();
  };
  addEventListener('offline', wentOffline);
  addEventListener('online', cameOnline);

  function end() {
    isClosed = true;
    removeEventListener('offline', wentOffline);
    removeEventListener('online', cameOnline);
    socketIs(null);
    return lose();
  }

  function stop(code) {
    end();
    on.stop(code);
  }

  connect();
  return {
    // False if it could not be sent now.
    send(frame) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    // Another socket instead of this one.
    renew() {
      if (isClosed || !socket) return;
      lose().close();
      connect();
    },
    close() {
      if (!isClosed) end()?.close(1000, 'user left');
    },
  };
}

// Milliseconds; nothing if the server has not said.
function pauseIn(reason) {
  const seconds = RETRY_AFTER.exec(reason)?.[1];
  return seconds === undefined ? undefined : Math.min(LONGEST_PAUSE, seconds * 1_000);
}

export function address(path, query) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${location.host}/api/v1${path}?${new URLSearchParams(query)}`;
}
