// Who is playing here.

import { get, post } from './api.js';

const NOBODY = ['TOKEN_NOT_PROVIDED', 'TOKEN_EXPIRED', 'INVALID_TOKEN', 'REFRESH_TOKEN_MISSMATCH'];

// { id, name, isGuest }, or null for somebody whom the server does not know (yet). Asking also renews
// a token that has expired.
export async function whoAmI() {
  try {
    const { id, name } = await get('/profile/user-info');
    return shown({ id, name, isGuest: id.startsWith('guest-') });
  } catch (failure) {
    if (NOBODY.includes(failure.code)) return shown(null);
    throw failure;
  }
}

// Makes a guest of that name, or gives the guest that one is this name.
export const callMe = (name) => post('/auth/guest', { name });

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
