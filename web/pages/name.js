// The field in which guests say how others see them.

import { sentence } from '../sentences.js';
import { h } from '../ui.js';

export const nameInput = () =>
  h('input', {
    id: 'name',
    maxlength: 20,
    placeholder: 'We find one for you',
    autocomplete: 'nickname',
    spellcheck: 'false',
  });

export const labelled = (input) => [h('label', { for: 'name' }, 'Your name'), input];

export const sayNameFault = (code) =>
  code === 'VALIDATION_ERROR' ? 'A name has one to twenty letters.' : sentence(code);
