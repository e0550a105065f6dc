// Confetti from an element; none with `prefers-reduced-motion`.

import { h } from './ui.js';

const PIECES = 36;
const LASTS = 1_600;

export function celebrate(element) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const { left, top, width, height } = element.getBoundingClientRect();
  const burst = h('div', { class: 'burst', 'aria-hidden': 'true' });
  burst.style.left = `${left + Math.min(width, 320) / 2}px`;
  burst.style.top = `${top + height / 2}px`;
  for (let at = 0; at < PIECES; at += 1) {
    burst.append(h('span', { class: `player-${1 + (at % 8)}` }));
  }
  document.body.append(burst);
  for (const piece of burst.children) fly(piece);
  const end = () => burst.remove();
  setTimeout(end, LASTS);
  addEventListener('hashchange', end, { once: true });
}

function fly(piece) {
  const angle = Math.random() * 2 * Math.PI;
  const far = 80 + Math.random() * 200;
  const [x, y] = [Math.cos(angle) * far, Math.sin(angle) * far * 0.6 - 60];
  const turn = `rotate(${Math.random() * 720 - 360}deg)`;
  piece.animate(
    [
      { transform: 'none', opacity: 1 },
      { transform: `translate(${x}px, ${y}px) ${turn}`, opacity: 1, offset: 0.6 },
      { transform: `translate(${x * 1.1}px, ${y + 160}px) ${turn}`, opacity: 0 },
    ],
    { duration: LASTS * (0.7 + Math.random() * 0.3), easing: 'cubic-bezier(0.15, 0.6, 0.4, 1)', fill: 'forwards' },
  );
}
