// The link for spectators, and how many there are.

import { copyText, originForOthers } from '/web/pages/invite.js';
import { count } from '/web/sentences.js';
import { h } from '/web/ui.js';

// A click must not take the focus from the text.
const keepFocus = (event) => event.preventDefault();

// A button that copies the link, and shows it where the browser does not allow that.
export function shareButton(link) {
  const input = h('input', { readonly: true, hidden: true, 'aria-label': 'Link to watch', onfocus: () => input.select() });
  const told = h('span', { class: 'shared', role: 'status' });
  const copy = async () => {
    const origin = (await originForOthers()) ?? location.origin;
    input.value = `${origin}/#/watch/${link}`;
    input.hidden = false;
    const isCopied = await copyText(input.value, input);
    told.textContent = isCopied ? 'Copied. Anyone with the link can watch.' : 'Copy it from the box.';
  };
  const button = h('button', { type: 'button', onpointerdown: keepFocus, onclick: copy }, 'Share a link to watch');
  return h('span', { class: 'share' }, button, input, told);
}

export const watchers = (number) => (number > 0 ? `${count(number, 'is', 'are')} watching` : '');
