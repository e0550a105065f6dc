// The field for a guest's name.

import { sentence } from '../sentences.js';
import { h } from '../ui.js';

export const nameInput = () =>
  h('input', {
    id: 'name',
    maxlength: 20,
    placeholder: 'Leave empty for a random name',
    autocomplete: 'nickname',
    spellcheck: 'false',
  });

export const labelled = (input) => [h('label', { for: 'name' }, 'Your name'), input];

export const sayNameFault = (code) =>
  code === 'VALIDATION_ERROR' ? 'Names can have up to 20 characters.' : sentence(code);
