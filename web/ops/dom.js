// Elements of the operations page.

export const at = (id) => document.getElementById(id);

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Only sets changed text: a status is not announced once a second, and a selection stays.
export function tell(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export function duration(seconds) {
  if (seconds === undefined) return '–';
  if (seconds === Infinity) return '> 10 s';
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return seconds >= 0.001 ? `${(seconds * 1_000).toPrecision(3)} ms` : `${Math.round(seconds * 1_000_000)} µs`;
}
