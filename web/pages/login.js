// Logging in: at a provider, or with an account of this server.

import { get, post } from '../api.js';
import { go, here } from '../router.js';
import { sentence } from '../sentences.js';
import { whoAmI } from '../session.js';
import { h, put, trouble } from '../ui.js';

export const title = 'Log in';

export function show(main) {
  main.append(h('h1', {}, 'Log in'), h('p', {}, 'You can play as a guest. With an account, your results are saved.'));
  fill(main);
}

async function fill(main) {
  const place = h('div', { class: 'login' });
  main.append(place);
  try {
    const { providers, local } = await get('/auth/providers');
    const links = providers.map(({ name, title: text }) =>
      h('a', { class: 'button', href: `/api/v1/auth/${name}/login` }, `Log in with ${text}`),
    );
    const none = providers.length === 0 && !local;
    put(place, links, local && localAccount(), none && h('p', {}, NONE));
  } catch (failure) {
    place.append(trouble(failure, () => go('#/login')));
  }
}

// Login and registration need the same fields, so they share a form.
function localAccount() {
  const name = h('input', { id: 'account', required: true, minlength: 2, maxlength: 32, autocomplete: 'username' });
  const password = h('input', {
    id: 'password',
    type: 'password',
    required: true,
    minlength: 8,
    maxlength: 128,
    autocomplete: 'current-password',
    'aria-describedby': 'password-rule',
  });
  const failed = h('p', { class: 'failed', role: 'alert' });
  const send = async (event) => {
    event.preventDefault();
    failed.textContent = '';
    const way = event.submitter?.value ?? 'login';
    const isHere = here();
    try {
      await post(`/auth/local/${way}`, { name: name.value.trim(), password: password.value });
      await whoAmI();
      if (isHere()) go('#/profile');
    } catch ({ code }) {
      failed.textContent = code === 'VALIDATION_ERROR' ? RULE : sentence(code);
    }
  };
  return h(
    'form',
    { class: 'account', onsubmit: send },
    h('h2', {}, 'With name and password'),
    h('p', {}, h('label', { for: 'account' }, 'Name'), name),
    h('p', {}, h('label', { for: 'password' }, 'Password'), password),
    h('p', { id: 'password-rule', class: 'small' }, 'At least 8 characters. Forgotten passwords cannot be reset.'),
    h(
      'p',
      { class: 'ways' },
      h('button', { class: 'primary', type: 'submit', value: 'login' }, 'Log in'),
      h('button', { type: 'submit', value: 'register' }, 'Create account'),
    ),
    failed,
  );
}

const NONE = 'This server has no accounts. Everyone plays as a guest.';
const RULE = 'Names must have 2 to 32 characters, passwords 8 to 128.';
