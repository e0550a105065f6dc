// The players of a race and their standings. Pure.

import { progress } from './typing.js';

export const START_POSITION = { word_index: 0, char_index: -1 };

// Milliseconds without a move after which a player is shown as still, and as away.
export const STILL = 3_000;
export const PATIENCE = 20_000;

// Merges the server's `rows` into the list. Known players keep number, colour and position, new ones are
// appended, and missing ones are removed. A guest who logs in gets another id in mid-race: `mine` is this
// player's, { before, now }; if exactly one other player is gone and one is new, they are the same.
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

// Marks all players as just seen: at START, or when this page was disconnected.
export const greeted = (players, now) =>
  players.map((player) => ({ ...player, seen: now, still: false, away: false }));

// The list with players marked as still or, after `patience` milliseconds, as away. The same list if nothing changed.
export function aged(players, now, myId, patience = PATIENCE) {
  const isLonger = ({ id, finished, seen }, than) => id !== myId && !finished && now - seen > than;
  const marks = (player) => ({ still: isLonger(player, STILL), away: isLonger(player, patience) });
  const isSame = (player) => Object.entries(marks(player)).every(([name, mark]) => player[name] === mark);
  return players.every(isSame) ? players : players.map((player) => ({ ...player, ...marks(player) }));
}

// Progress, from 0 to 1.
export const progressOf = (player, words) => (player.finished ? 1 : progress(words, player.position));

// Words typed. In a result against the clock, only correct ones count.
export const wordsTyped = ({ correct_words: correct, position }) => correct ?? position.word_index;

// Words per minute that fill the track of a race against the clock.
const FULL = 80;

// The number of words that the track of a race against the clock stands for: it ends at the leader, or farther.
// In a result, it ends at the best player.
export function trackLength(players, limit, isResult) {
  const most = Math.max(1, ...players.map(wordsTyped));
  return isResult ? most : Math.max(most, (FULL * limit) / 60);
}

// In the order of the race: finished people and bots by result, then unranked finishes, then the others by
// progress.
export function standing(players, words) {
  const far = (player) => progressOf(player, words);
  return [...players].sort((a, b) => byResult(a, b) || far(b) - far(a) || 0);
}

// The better result first: the earlier finish; against the clock, more correct words, then the higher speed.
function byResult(a, b) {
  const isRanked = (player) => Boolean(player.finished) && !player.unranked;
  const better = isRanked(a) && isRanked(b) ? byWords(a, b) : 0;
  return better || endOf(a) - endOf(b);
}

// Results of other races have no count of words.
function byWords(a, b) {
  const more = (b.correct_words ?? -1) - (a.correct_words ?? -1);
  return more !== 0 || a.correct_words == null ? more : b.wpm - a.wpm;
}

// In the order of the result. Bots have no rank: they are listed behind people, unless `me` only met bots.
// Unranked finishes come last.
export function ranking(players, words, me) {
  const hasCompany = isCompany(players, me);
  const group = ({ bot, unranked }) => (unranked ? 2 : Number(hasCompany && Boolean(bot)));
  return standing(players, words).sort((a, b) => group(a) - group(b));
}

// Also a number for players who have not finished, so that they can be compared.
const endOf = ({ finished, unranked }) => {
  if (!finished) return Number.MAX_SAFE_INTEGER;
  return Date.parse(finished) + (unranked ? UNRANKED : 0);
};

// In milliseconds: more than any date.
const UNRANKED = Number.MAX_SAFE_INTEGER / 2;

// Whether another person than `me` is in the race.
export const isCompany = (players, me) => players.some((it) => !it.bot && it.id !== me?.id);

// How many bots have a better result than a finished player.
export const botsAhead = (player, players) =>
  players.filter((it) => it.bot && it.finished && byResult(it, player) < 0).length;

// The place of a player. Among people it is the server's rank, and bots take none; a player who only met bots
// is placed among them. Equal players share the better place. An unranked finish has no place.
export function placeOf(player, players, words) {
  const withBots = !isCompany(players, player) && players.length > 1;
  const all = players.filter((it) => (withBots || !it.bot) && (it === player || !it.unranked));
  const isBehind = (a, b) => progressOf(b, words) > progressOf(a, words);
  const isAhead = (other) => {
    if (other.away) return false;
    if (other.finished && player.finished) return withBots ? byResult(other, player) < 0 : other.rank < player.rank;
    return Boolean(other.finished) || (!player.finished && isBehind(player, other));
  };
  return { place: 1 + all.filter(isAhead).length, of: all.length, withBots };
}
