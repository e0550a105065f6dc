// A race as spectators see it, from what the server tells. Pure.

import { merged, moved } from '/web/players.js';

export const EMPTY = { stage: 'lobby', words: [], lines: new Map(), players: [], spectators: 0, limit: null, replay: null };

// The next scene, once the server has told the whole state. `now` is in milliseconds.
export function told(scene, frame, now) {
  const words = frame.words === null ? [] : frame.words.split(' ');
  const lines = new Map(frame.about?.lines ?? []);
  const players = placed(merged(scene.players, frame.players, now), frame.carets, now);
  const begun = frame.running_for === null ? (scene.begun ?? null) : now - frame.running_for * 1000;
  const starts = frame.starts_in === null ? null : now + frame.starts_in * 1000;
  const { stage, spectators, replay, seconds: limit = null } = frame;
  return { stage, words, lines, limit, begun, starts, spectators, replay, players: players.map((it) => atEnd(it, words, limit)) };
}

// The next scene, once carets have moved.
export function ticked(scene, { carets, spectators }, now) {
  const { words, limit } = scene;
  const players = placed(scene.players, carets, now).map((it) => atEnd(it, words, limit));
  return { ...scene, spectators, players };
}

const placed = (players, carets, now) =>
  carets.reduce((all, [seat, word_index, char_index]) => {
    const known = all.find(({ id }) => id === `${seat}`)?.position;
    const isSame = known?.word_index === word_index && known.char_index === char_index;
    return isSame ? all : moved(all, `${seat}`, { word_index, char_index }, now);
  }, players);

// The last positions of a player with a result may not have come.
function atEnd(player, words, limit) {
  if (!player.finished || limit !== null || words.length === 0) return player;
  return { ...player, position: { word_index: words.length - 1, char_index: words.at(-1).length - 1 } };
}
