// The current player.

import { get, post } from './api.js';

const NOT_LOGGED_IN = ['TOKEN_NOT_PROVIDED', 'TOKEN_EXPIRED', 'INVALID_TOKEN', 'REFRESH_TOKEN_MISSMATCH'];

// Settled when no name is on its way to the server.
let named = Promise.resolve();

// { id, name, isGuest }, or null if the server does not know the player (yet). Also renews an expired token.
export async function whoAmI() {
  await named;
  try {
    const { id, name } = await get('/profile/user-info');
    return shown({ id, name, isGuest: id.startsWith('guest-') });
  } catch (failure) {
    if (NOT_LOGGED_IN.includes(failure.code)) return shown(null);
    throw failure;
  }
}

// Creates a guest with this name, or renames the current guest. Another page may open meanwhile.
export function callMe(name) {
  const answer = post('/auth/guest', { name });
  named = answer.catch(() => {});
  return answer;
}

export async function logOut() {
  await post('/auth/logout');
  return whoAmI();
}

function shown(me) {
  const link = document.getElementById('who');
  const isRegistered = me !== null && !me.isGuest;
  link.textContent = isRegistered ? me.name : 'Log in';
  link.href = isRegistered ? '#/profile' : '#/login';
  document.getElementById('log-out').hidden = !isRegistered;
  return me;
}
