// The target of an invite link: the lobby, after asking new guests for a name.

import { callMe, whoAmI } from '../session.js';
import { h, put } from '../ui.js';
import { wayTo } from './invite.js';
import * as lobby from './lobby.js';
import { labelled, nameInput, sayNameFault } from './name.js';

export const { title, passing } = lobby.friends;

export function show(main, token) {
  let leave = null;
  let isLeft = false;
  const enter = () => {
    if (isLeft) return;
    main.replaceChildren();
    leave = lobby.friends.show(main, token);
  };
  // The player who made the link could choose a name on the home page.
  if (wayTo(token) !== null || !lobby.isToken(token)) enter();
  else greet(main, enter, () => isLeft);
  return () => {
    isLeft = true;
    leave?.();
  };
}

async function greet(main, enter, isLeft) {
  const loading = put(main, h('p', { class: 'loading' }, 'Loading…')).lastChild;
  const isKnown = await whoAmI().then(
    (me) => me !== null,
    // The lobby shows the error, and tries again.
    () => true,
  );
  loading.remove();
  if (isKnown) enter();
  else if (!isLeft()) ask(main, enter);
}

function ask(main, enter) {
  const input = nameInput();
  const failed = h('p', { class: 'failed', role: 'alert' });
  const join = async (event) => {
    event.preventDefault();
    failed.textContent = '';
    const name = input.value.trim();
    try {
      if (name !== '') await callMe(name);
      enter();
    } catch ({ code }) {
      failed.textContent = sayNameFault(code);
    }
  };
  put(
    main,
    h('h1', {}, 'Race your friends'),
    h(
      'form',
      { class: 'play', onsubmit: join },
      h('p', { class: 'name-field' }, labelled(input)),
      h('button', { class: 'primary', type: 'submit' }, 'Join'),
      failed,
    ),
  );
  input.focus({ preventScroll: true });
}
