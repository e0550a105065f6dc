// A socket that reconnects: after a loss it is reopened with back-off, until it is closed here or by the
// server with a close code that forbids it (4500-4999).

import { Failure, isThere, wake } from './api.js';
import { socketIs } from './connection.js';

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8_000;
// The server is restarting, or another pod takes over. The close reason may have a delay: `RESTARTING
// retry-after=0.25`.
const RESTARTING = 1012;
const RETRY_AFTER = / retry-after=(\d+(?:\.\d+)?)$/;
// A restart that takes more tries than this (about 8 s) is treated like any other loss.
const RESTART_TRIES = 6;
// Browsers do not tell why a handshake was refused. After so many refusals in a row, of a server that answers
// requests, the socket counts as refused.
const REFUSALS = 4;
// A silently lost network leaves a socket open for minutes, and pages do not see the server's pings. After this long
// without a frame, the page probes the server: sooner while the player waits for a race or is in one.
const SILENCE = 9_000;
const SHORT_SILENCE = 2_000;
// An answer that takes longer than this means a slow connection.
const SLOW = 1_000;

// `url()` is called before each attempt, after `before()`; if that fails permanently, the socket stops.
// Callbacks: `on.frame(frame)`, `on.open(protocol)` with the sub-protocol that the server has chosen of the optional
// `on.protocols`, `on.lost()`, and `on.stop(code)` with a failure code or close
// code. Optional: `on.isUrgent()` tells whether to probe sooner; `on.reassurance()` returns what the player should know
// while the connection is slow; `on.refused()` is called after some refused handshakes in a row.
export function openSocket(url, before, on) {
  let socket = null;
  let attempts = 0;
  let refusals = 0;
  let timer = null;
  let slow = null;
  // Changes with each frame and loss: the answer to an earlier probe then means nothing.
  let silences = 0;
  let isClosed = false;
  let isRestarting = false;
  // A browser refuses a server that chooses none of the sub-protocols: after a failure the next attempt asks for none.
  let protocols = on.protocols ?? [];
  // Of overlapping attempts, only the newest continues.
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
    if (attempt === newest) listen(new WebSocket(url(), protocols));
  }

  function failed(failure) {
    if (failure instanceof Failure && failure.passes) retry();
    else stop(failure.code ?? 'UNKNOWN_ERROR');
  }

  function listen(fresh) {
    socket = fresh;
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
      attempts = 0;
      refusals = 0;
      isRestarting = false;
      watch();
      wake();
      on.open?.(socket.protocol);
    };
    socket.onmessage = ({ data }) => {
      // Of typephoon.v2 a frame may be an array of several messages.
      for (const message of [JSON.parse(data)].flat()) on.frame(message);
      // After the frame, which may have been START; not if it closed the socket.
      if (socket === fresh) watch();
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== fresh) return;
      lose();
      if (code >= 4500) return stop(code);
      isRestarting ||= code === RESTARTING;
      if (!isOpen) protocols = protocols.length > 0 ? [] : (on.protocols ?? []);
      retry(pauseIn(reason));
      if (!isOpen && on.refused) countRefusal();
    };
  }

  // Without an answer to a request, the network is to blame.
  async function countRefusal() {
    if (!(await isThere())) return;
    refusals += 1;
    if (refusals === REFUSALS && !isClosed) on.refused();
  }

  // Restarts the watch after a frame or an answer.
  function watch() {
    clearTimeout(timer);
    clearTimeout(slow);
    silences += 1;
    socketIs('open');
    timer = setTimeout(ask, on.isUrgent?.() ? SHORT_SILENCE : SILENCE);
  }

  async function ask() {
    const silence = silences;
    slow = setTimeout(() => socketIs('slow', on.reassurance?.()), SLOW);
    const answers = await isThere();
    if (silence !== silences) return;
    if (answers) watch();
    else drop();
  }

  // `told` is the delay that the server chose for this page, so that not all pages reconnect at once.
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
    silences += 1;
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

  // The browser is offline: the socket is dead without a close event.
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
    // Returns false if it could not be sent now.
    send(frame) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    // Replaces the socket by a new one.
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

// In milliseconds; undefined if the server sent none.
function pauseIn(reason) {
  const seconds = RETRY_AFTER.exec(reason)?.[1];
  return seconds === undefined ? undefined : Math.min(LONGEST_PAUSE, seconds * 1_000);
}

export function address(path, query) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${location.host}/api/v1${path}?${new URLSearchParams(query)}`;
}
