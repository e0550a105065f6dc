// A line chart as SVG, which scales with its container.

import { h } from './ui.js';

// Narrow screens get a narrow chart, so that its figures stay readable.
const WIDTH = matchMedia('(max-width: 40rem)').matches ? 360 : 640;
const HEIGHT = 220;
const EDGE = { left: 40, right: 12, top: 12, bottom: 28 };

// `lines` are [{ name, points: [[x, y], …] }], drawn in the styles line-0, line-1 …, or in their own `style`;
// `ends` label the ends of the x axis, and `marks` get a cross each. `summary` is the text alternative. With
// `isTight` the y axis begins below the lowest point, not at 0.
export function lineChart(lines, ends, summary, { marks = [], isTight = false } = {}) {
  const points = lines.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const ys = points.map(([, y]) => y);
  const steps = niceSteps(isTight ? Math.min(...ys) : 0, Math.max(...ys, 1));
  const [bottom, top] = [steps[0], steps.at(-1)];
  const place = ([x, y]) => [
    EDGE.left + ((x - left) / (right - left || 1)) * (WIDTH - EDGE.left - EDGE.right),
    HEIGHT - EDGE.bottom - ((y - bottom) / (top - bottom)) * (HEIGHT - EDGE.top - EDGE.bottom),
  ];
  const svg = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'chart', role: 'img' });
  svg.setAttribute('aria-label', summary);
  for (const step of steps) {
    const [, y] = place([left, step]);
    svg.append(
      draw('line', { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y, y2: y, class: 'grid' }),
      draw('text', { x: EDGE.left - 8, y: y + 4, 'text-anchor': 'end' }, step),
    );
  }
  const foot = HEIGHT - 8;
  svg.append(
    draw('text', { x: EDGE.left, y: foot }, ends[0]),
    draw('text', { x: WIDTH - EDGE.right, y: foot, 'text-anchor': 'end' }, ends[1]),
  );
  lines.forEach((line, index) => svg.append(...drawLine(line, index, place)));
  for (const [x, y] of marks.map(place)) {
    svg.append(draw('path', { d: `M${x - 4},${y - 4}l8,8m0,-8l-8,8`, class: 'slip' }));
  }
  return svg;
}

// The legend.
export const legend = (lines, hasMarks = false) =>
  h(
    'p',
    { class: 'legend' },
    lines.map(({ name }, index) => h('span', { class: `key-${index}` }, name)),
    hasMarks && h('span', { class: 'key-slip' }, 'Wrong keys'),
  );

function drawLine({ points, style }, index, place) {
  const placed = points.map(place);
  const path = placed.map((point) => point.map((it) => it.toFixed(1)).join(',')).join(' ');
  const line = draw('polyline', { points: path, class: `line ${style ?? `line-${index}`}` });
  if (placed.length > 30 || style) return [line];
  return [line, ...placed.map(([cx, cy]) => draw('circle', { cx, cy, r: 3, class: `dot dot-${index}` }))];
}

// Ticks from `lowest` or less to at least `highest`, in at most five even steps.
function niceSteps(lowest, highest) {
  const isEnough = (size) => Math.ceil(highest / size) - Math.floor(lowest / size) <= 5;
  const size = [2, 5, 10, 20, 25, 50, 100, 200, 500].find(isEnough) ?? 1000;
  const [first, last] = [Math.floor(lowest / size), Math.max(Math.ceil(highest / size), Math.floor(lowest / size) + 1)];
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * size);
}

function draw(tag, attributes, words) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (words !== undefined) element.textContent = words;
  return element;
}
