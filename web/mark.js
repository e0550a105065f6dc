// The logo: a typhoon with a caret in its eye.

const SVG = 'http://www.w3.org/2000/svg';

const ARMS = 'M7.5 16a8.5 8.5 0 0 0 17 0a8.5 8.5 0 0 0-17 0C7.5 9 13 4 23 3.5M24.5 16C24.5 23 19 28 9 28.5';

export function mark() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 32 32');
  svg.setAttribute('class', 'typhoon');
  svg.setAttribute('aria-hidden', 'true');
  for (const [name, d] of [['arms', ARMS], ['eye', 'M16 12v8']]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}
