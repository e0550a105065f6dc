// What a reload has to find again, per tab: `lobby`, where one waits ({ key, gameId }), `race`, the record
// that race.js keeps, and `invite`, how one came to a lobby of friends ({ token, way }). Browsers that
// store nothing lose it on reload, and nothing else. And what this browser remembers for all its tabs: `past`, the
// speeds of earlier races ({ best, last }), `preferences`, and `race`, a copy for a tab that takes the race over.

const memory = new Map();

export function load(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return memory.get(name) ?? null;
  }
}

export function save(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    memory.set(name, value);
  }
}

export function forget(name) {
  memory.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {
    // Nothing was stored, then.
  }
}

export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Then every race is the first one.
  }
}
