// Who races, and how they stand. Pure.

import { progress } from './typing.js';

export const START_POSITION = { word_index: 0, char_index: -1 };

// Milliseconds without a move after which a player stands still, and after which they count as gone.
export const STILL = 3_000;
export const PATIENCE = 20_000;

// The list after an answer of the server brought all `rows`. Everybody keeps number, colour and
// position, who is new comes last, and who is in no row any more goes. A guest who logs in gets
// another id in mid-race: `mine` is the own one, { before, now }, and if one is gone and one has come,
// those two are the same.
export function merged(players, rows, now, mine = {}) {
  const known = new Map(players.map((player) => [player.id, player]));
  const ids = new Set(rows.map(({ id }) => id));
  const gone = players.filter(({ id }) => !ids.has(id) && id !== mine.before);
  const come = rows.filter(({ id }) => !known.has(id) && id !== mine.now);
  const heir = gone.length === 1 && come.length === 1 ? gone[0] : null;
  let last = Math.max(0, ...players.map(({ number }) => number));
  const fresh = () => ({ position: START_POSITION, number: (last += 1), seen: now, still: false, away: false });
  const before = ({ id }) => {
    if (id === mine.now) return known.get(mine.before) ?? known.get(id);
    return known.get(id) ?? (come[0]?.id === id ? heir : null);
  };
  const all = rows.map((row) => ({ ...(before(row) ?? fresh()), ...row }));
  return all.sort((a, b) => a.number - b.number);
}

export const moved = (players, id, position, now) =>
  players.map((player) =>
    player.id === id ? { ...player, position, seen: now, moves: true, still: false, away: false } : player,
  );

// All of them have just been seen: the race begins, or one was away oneself.
export const greeted = (players, now) =>
  players.map((player) => ({ ...player, seen: now, still: false, away: false }));

// The list with players marked as still or as away. The same list if nothing changed.
export function aged(players, now, myId) {
  const isLonger = ({ id, finished, seen }, than) => id !== myId && !finished && now - seen > than;
  const marks = (player) => ({ still: isLonger(player, STILL), away: isLonger(player, PATIENCE) });
  const isSame = (player) => Object.entries(marks(player)).every(([name, mark]) => player[name] === mark);
  return players.every(isSame) ? players : players.map((player) => ({ ...player, ...marks(player) }));
}

// From 0 to 1.
export const progressOf = (player, words) => (player.finished ? 1 : progress(words, player.position));

// In the order of the race: who is through, people and bots, by when that was; then finishes that are not
// ranked, and then the others by how far they are.
export function standing(players, words) {
  const far = (player) => progressOf(player, words);
  return [...players].sort((a, b) => endOf(a) - endOf(b) || far(b) - far(a) || 0);
}

// In the order of the result. Bots have no rank: they stand behind the people, except if `me` met bots alone. Results
// that are not ranked come last of all.
export function ranking(players, words, me) {
  const hasCompany = isCompany(players, me);
  const group = ({ bot, unranked }) => (unranked ? 2 : Number(hasCompany && Boolean(bot)));
  return standing(players, words).sort((a, b) => group(a) - group(b));
}

// Of those who are not through a number all the same, so that two of them can be compared.
const endOf = ({ finished, unranked }) => {
  if (!finished) return Number.MAX_SAFE_INTEGER;
  return Date.parse(finished) + (unranked ? UNRANKED : 0);
};

// In milliseconds: more than any date.
const UNRANKED = Number.MAX_SAFE_INTEGER / 2;

// Whether somebody else than `me` races who is no bot.
export const isCompany = (players, me) => players.some((it) => !it.bot && it.id !== me?.id);

// How many bots had finished before a finished player.
export const botsAhead = (player, players) =>
  players.filter((it) => it.bot && it.finished && endOf(it) < endOf(player)).length;

// The place of a player. Among people it is the server's: bots take none. Who meets bots alone is
// placed among them. Who stands level shares the better place. A finish that is not ranked has none, and
// is behind all others.
export function placeOf(player, players, words) {
  const withBots = !isCompany(players, player) && players.length > 1;
  const all = players.filter((it) => (withBots || !it.bot) && (it === player || !it.unranked));
  const isBehind = (a, b) => progressOf(b, words) > progressOf(a, words);
  const isAhead = (other) => {
    if (other.away) return false;
    if (other.finished && player.finished) return withBots ? endOf(other) < endOf(player) : other.rank < player.rank;
    return Boolean(other.finished) || (!player.finished && isBehind(player, other));
  };
  return { place: 1 + all.filter(isAhead).length, of: all.length, withBots };
}
