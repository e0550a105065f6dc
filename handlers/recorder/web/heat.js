// The heat map of a recorded race: for each key, how long it took and how often another one was hit.

import { h } from '/web/ui.js';
import { heatOf } from './film.js';

// Where keys lie on many keyboards; all others follow in a row of their own.
const ROWS = ['1234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

// The map, with what it shows in words; null without keys.
export function heatMap(words, { name, shots, isExact }) {
  const heat = isExact ? heatOf(words, shots) : [];
  const times = heat.map(({ ms }) => ms).filter((ms) => ms !== null);
  if (times.length === 0) return null;
  const [fastest, slowest] = [Math.min(...times), Math.max(...times)];
  const known = new Map(heat.map((it) => [it.key, it]));
  const others = heat.filter(({ key }) => key !== ' ' && !ROWS.some((row) => row.includes(key))).map(({ key }) => key);
  const rows = [...ROWS.map((row) => [...row]), others.toSorted(), [' ']].filter((row) => row.some((key) => known.has(key)));
  const cell = (key) => {
    const it = known.get(key);
    const part = it?.ms === null || !it ? null : (it.ms - fastest) / Math.max(1, slowest - fastest);
    const kind = ['cap', key === ' ' && 'space', !it && 'unused'].filter(Boolean).join(' ');
    const cap = h('span', { class: kind, title: it && figures(it) }, key === ' ' ? 'space' : key);
    // Up to 45 %: beyond that the letter could not be read in dark themes.
    if (part !== null) cap.style.setProperty('--heat', `${Math.round(8 + part * 37)}%`);
    return cap;
  };
  const map = h('div', { class: 'heat', 'aria-hidden': 'true' }, rows.map((row) => h('div', {}, row.map(cell))));
  const slow = heat.slice(0, 3).map(({ key, ms }) => `${key === ' ' ? 'space' : key} ${Math.round(ms ?? 0)} ms`);
  const wrong = heat.filter((it) => it.wrong > 0).toSorted((a, b) => b.wrong - a.wrong).slice(0, 3);
  const missed = wrong.map((it) => `${it.key === ' ' ? 'space' : it.key} ${it.wrong}×`);
  const sentence = `Slowest keys of ${name}: ${slow.join(', ')}.${missed.length > 0 ? ` Missed: ${missed.join(', ')}.` : ''}`;
  return h('figure', { class: 'keyboard' }, map, h('figcaption', {}, sentence));
}

const figures = ({ ms, count, wrong }) =>
  `${ms === null ? 'no time' : `${Math.round(ms)} ms`}, pressed ${count}×${wrong > 0 ? `, ${wrong} wrong` : ''}`;
