// The operations page: figures once a second, a live tail, the closing of sockets, and the drain of this pod.

import { at, duration, h, tell } from './dom.js';
import { showModules } from './modules.js';

const ROUND = 1_000;
const PERCENTILES = [50, 95, 99];
const WINDOW = 30;
const LONGEST_TAIL = 500;

// Metric samples, summed over all labels that are not selected.
class Samples {
  constructor(samples) {
    this.samples = samples;
  }

  sum(name, labels = {}) {
    const fits = (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
    return this.samples.filter(fits).reduce((sum, sample) => sum + sample.value, 0);
  }

  // The buckets of a histogram, [upper bound, how many up to there].
  buckets(name) {
    const own = this.samples.filter((sample) => sample.name === `${name}_bucket`);
    return own.map((sample) => [sample.labels.le === '+Inf' ? Infinity : Number(sample.labels.le), sample.value]);
  }
}

// The percentile of what was counted between two snapshots; undefined if nothing was.
export function percentile(now, before, percent) {
  const counts = now.map(([bound, count], index) => [bound, count - (before[index]?.[1] ?? 0)]);
  const all = counts.at(-1)?.[1] ?? 0;
  if (all === 0) return undefined;
  return counts.find(([, count]) => count >= (all * percent) / 100)[0];
}

const history = [];

function showNow(figures, samples) {
  const relay = samples.buckets('typephoon_relay_latency_seconds');
  history.push(relay);
  if (history.length > WINDOW) history.shift();
  const started = samples.sum('process_start_time_seconds');
  const entries = [
    ['Pod', figures.pod],
    ['Pods alive', figures.pods.length],
    ['Players online (this pod)', samples.sum('typephoon_players_online')],
    ['Open sockets', samples.sum('typephoon_sockets_open')],
    ['Open lobbies (this pod)', samples.sum('typephoon_games_open', { channel: 'lobby' })],
    ['Open races (this pod)', samples.sum('typephoon_games_open', { channel: 'race' })],
    ...PERCENTILES.map((percent) => [
      `Relay latency p${percent}, ${WINDOW} s`,
      duration(percentile(relay, history[0], percent)),
    ]),
    ['Memory', `${Math.round(samples.sum('process_resident_memory_bytes') / 1_048_576)} MiB`],
    ['CPU time', duration(samples.sum('process_cpu_seconds_total'))],
    ['Started', started ? new Date(started * 1_000).toISOString().slice(0, 19) + 'Z' : '–'],
  ];
  at('now').replaceChildren(...entries.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, `${value}`))));
}

function rows(id, lines) {
  at(id).replaceChildren(...lines.map((cells) => h('tr', {}, ...cells)));
}

const cell = (text) => h('td', {}, `${text ?? ''}`);
const head = (text) => h('th', { scope: 'row' }, text);

function showTables(figures) {
  rows('dependencies', figures.dependencies.map(({ name, away_since: since }) => [
    head(name),
    since ? h('td', { class: 'bad' }, `down since ${since}`) : cell('up'),
  ]));
  rows('errors', figures.errors.map(({ at: when, level, text, trace }) => [cell(when), cell(level), cell(text), cell(trace)]));
  rows('acts', figures.acts.map(({ at: when, operator, action, target }) => [cell(when), cell(operator), cell(`${action} ${target}`)]));
}

async function look() {
  try {
    const answer = await fetch('/ops/figures.json');
    if (answer.status === 401) location.reload();
    const figures = await answer.json();
    const samples = new Samples(figures.samples);
    showNow(figures, samples);
    showTables(figures);
    showModules(figures, samples);
    tell(at('state'), stateOf(figures));
    showDrain(figures);
  } catch {
    tell(at('state'), 'The server is not responding.');
  }
  setTimeout(look, ROUND);
}

function stateOf({ stopping, draining }) {
  if (stopping) return 'This pod is stopping.';
  return draining ? 'This pod is draining and accepts no sockets.' : 'Up to date.';
}

let others = 0;

function showDrain({ stopping, draining, pods }) {
  others = pods.length - 1;
  at('drain').hidden = draining;
  at('drain-end').hidden = !draining || stopping;
}

at('drain').addEventListener('click', () => {
  at('confirm-drain-what').textContent = others > 0
    ? `Its players move to ${others === 1 ? 'the other pod' : `the ${others} other pods`}, over several seconds.`
    : 'There is no other pod, so its players wait until the drain ends.';
  at('confirm-drain').returnValue = 'no';
  at('confirm-drain').showModal();
});

at('confirm-drain').addEventListener('close', () => {
  if (at('confirm-drain').returnValue === 'yes') act('/ops/drain', { drain: 'on' }, 'drain-state');
});
at('drain-end').addEventListener('click', () => act('/ops/drain', { drain: 'off' }, 'drain-state'));

// Carries out an operator's action, and shows the outcome in `place`.
async function act(path, form, place) {
  try {
    const answer = await (await fetch(path, { method: 'POST', body: new URLSearchParams(form) })).json();
    at(place).textContent = answer.ok ? `Done: ${answer.action} ${answer.target}.` : `Refused: ${answer.error.message}`;
  } catch {
    at(place).textContent = 'The server is not responding.';
  }
}

let tail;

function stopTail(words) {
  tail?.close();
  tail = undefined;
  at('tail-stop').disabled = true;
  at('tail-state').textContent = words;
}

function addLine(...children) {
  at('tail').prepend(h('li', {}, ...children));
  while (at('tail').children.length > LONGEST_TAIL) at('tail').lastElementChild.remove();
}

at('tail-form').addEventListener('submit', (event) => {
  event.preventDefault();
  stopTail('');
  const [kind, id] = [at('tail-kind').value, at('tail-id').value.trim()];
  tail = new EventSource(`/ops/tail?${kind}=${encodeURIComponent(id)}`);
  at('tail-stop').disabled = false;
  at('tail-state').textContent = 'Connecting…';
  at('tail').replaceChildren();
  tail.addEventListener('open', () => { at('tail-state').textContent = `Following ${kind} ${id}.`; });
  tail.addEventListener('seen', ({ data }) => {
    const seen = JSON.parse(data);
    addLine(`${seen.at} ${seen.event} ${JSON.stringify(seen.body)}`);
  });
  tail.addEventListener('lagged', ({ data }) => addLine(h('span', { class: 'bad' }, `${data} events were missed`)));
  tail.addEventListener('error', () => {
    if (tail?.readyState === EventSource.CLOSED) stopTail('The server refused this tail.');
  });
});
at('tail-stop').addEventListener('click', () => stopTail('Stopped.'));

at('close-form').addEventListener('submit', (event) => {
  event.preventDefault();
  at('confirm-what').textContent = `All sockets of ${at('close-kind').value} ${at('close-id').value.trim()}, on all pods.`;
  at('confirm').returnValue = 'no';
  at('confirm').showModal();
});

at('confirm').addEventListener('close', () => {
  if (at('confirm').returnValue !== 'yes') return;
  act('/ops/close', { [at('close-kind').value]: at('close-id').value.trim() }, 'close-state');
});

look();
