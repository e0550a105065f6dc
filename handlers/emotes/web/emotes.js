// Six reactions: buttons to send them, and those of all players as they come. Not shown to a player without other people.

import { isCompany } from '/web/players.js';
import { style } from '/web/slots.js';
import { bareName, h } from '/web/ui.js';

const EMOTES = {
  clap: ['👏', 'Applause'],
  laugh: ['😄', 'Laugh'],
  fire: ['🔥', 'On fire'],
  wow: ['😮', 'Wow'],
  sweat: ['😅', 'Phew'],
  turtle: ['🐢', 'Slow'],
};

// Milliseconds that a reaction stays visible, and how many at once.
const SHOWN = 3_000;
const MOST = 8;

export function show(place, host) {
  if (host.kind === 'solo') return undefined;
  style('/web/modules/emotes/emotes.css');
  const shown = h('div', { class: 'emotes-shown', role: 'log', 'aria-label': 'Reactions', 'aria-live': 'polite' });
  const send = (emote) => host.send({ event: 'EMOTE', emote });
  // A click must not take the focus from the text.
  const keepFocus = (event) => event.preventDefault();
  const button = ([emote, [face, name]]) =>
    h('button', { type: 'button', 'aria-label': name, title: name, onpointerdown: keepFocus, onclick: () => send(emote) }, face);
  const choice = h('div', { class: 'emotes', role: 'group', 'aria-label': 'React' }, Object.entries(EMOTES).map(button));
  place.classList.add('reactions');
  place.append(choice, shown);
  const look = () => (place.hidden = !isCompany(host.players(), host.me()));
  const endLooking = host.race ? host.race.listen(look) : host.hear('players', look);
  look();
  const timers = new Set();
  const end = host.hear('EMOTE', ({ user_id: id, emote }) => {
    const known = EMOTES[emote];
    const player = host.players().find((it) => it.id === id);
    if (!known || !player) return;
    const entry = h('span', { class: 'emote' }, h('span', { 'aria-hidden': 'true' }, known[0]), h('span', { class: 'unseen' }, known[1]), ` ${bareName(player)}`);
    shown.append(entry);
    while (shown.childElementCount > MOST) shown.firstChild.remove();
    const timer = setTimeout(() => {
      entry.remove();
      timers.delete(timer);
    }, SHOWN);
    timers.add(timer);
  });
  return () => {
    end();
    endLooking();
    for (const timer of timers) clearTimeout(timer);
  };
}
