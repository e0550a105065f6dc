// Account actions: change the password, delete the account, and log out (the button in the header).

import { post, remove } from '../api.js';
import { go, here } from '../router.js';
import { sentence } from '../sentences.js';
import { logOut, whoAmI } from '../session.js';
import { action, h } from '../ui.js';

// Milliseconds in which a deletion has to be confirmed.
const ASKING = 6_000;

export function account(me) {
  return h(
    'section',
    { class: 'account-section' },
    h('h2', {}, 'Account'),
    // Other accounts have their password at their provider.
    me.id.startsWith('local-') && passwordForm(),
    h('p', { class: 'ways' }, deletion()),
  );
}

export async function leave() {
  const isHere = here();
  await logOut();
  if (isHere()) go('#/', 'You are logged out.');
}

function passwordForm() {
  const field = (id, autocomplete) =>
    h('input', { id, type: 'password', required: true, minlength: 8, maxlength: 128, autocomplete });
  const [before, after] = [field('old-password', 'current-password'), field('new-password', 'new-password')];
  const news = h('p', { class: 'small', role: 'status' });
  const change = async (event) => {
    event.preventDefault();
    news.textContent = '';
    try {
      await post('/auth/local/password', { password: before.value, new_password: after.value });
      for (const input of [before, after]) input.value = '';
      news.textContent = 'Password changed. Your other devices are logged out.';
    } catch ({ code }) {
      news.textContent = FAULTS[code] ?? sentence(code);
    }
  };
  return h(
    'details',
    {},
    h('summary', {}, 'Change password'),
    h(
      'form',
      { class: 'account', onsubmit: change },
      h('p', {}, h('label', { for: 'old-password' }, 'Current password'), before),
      h('p', {}, h('label', { for: 'new-password' }, 'New password'), after),
      h('p', { class: 'ways' }, h('button', { type: 'submit' }, 'Change password')),
      news,
    ),
  );
}

const FAULTS = {
  WRONG_CREDENTIALS: 'That is not your current password.',
  VALIDATION_ERROR: 'Passwords must have 8 to 128 characters.',
};

// Asks for confirmation: a deleted profile cannot be restored.
function deletion() {
  let isAsking = false;
  const element = action('Delete account', async () => {
    const button = element.querySelector('button');
    if (isAsking) {
      const isHere = here();
      await remove('/profile');
      await whoAmI();
      if (isHere()) go('#/', 'Your account and all your races have been deleted.');
      return;
    }
    isAsking = true;
    button.textContent = 'Delete account and all races? Press again';
    setTimeout(() => {
      isAsking = false;
      button.textContent = 'Delete account';
    }, ASKING);
  }, { class: 'danger' });
  return element;
}
