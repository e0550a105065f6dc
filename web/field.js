// The text input: a real one, so that phones show their keyboard and input methods work. It holds only the
// current word. Its value counts, not key events, since phone keyboards report none.

import { h } from './ui.js';

// `typed(value, composing)` gets the input's value and returns the resulting current word; `back()` is called
// for a backspace at the beginning of a word, and returns the resulting current word.
export function typingField(typed, back, describedBy) {
  const input = h('input', {
    class: 'field',
    type: 'text',
    inputmode: 'text',
    enterkeyhint: 'go',
    autocapitalize: 'off',
    autocomplete: 'off',
    autocorrect: 'off',
    spellcheck: 'false',
    'aria-label': 'Type the text here',
    'aria-describedby': describedBy,
  });
  // Input methods break if the value changes while they compose. Until composition ends, finished words stay
  // in the input; this is their length.
  let settled = 0;

  const reset = (word) => {
    settled = 0;
    if (input.value !== word) input.value = word;
  };

  const read = (composing) => {
    const word = typed(input.value.slice(settled), composing);
    if (!composing) return reset(word);
    const lastWord = input.value.search(/\S*$/);
    if (input.value.slice(lastWord) === word) settled = lastWord;
  };

  // Acts as if that key had been pressed in the input.
  const press = (letter) => {
    input.value += letter;
    read(false);
  };

  // Enter ends a line, and acts like a space at the end of the text.
  const ended = () => reset(typed(`${input.value.slice(settled)}\n`, false));

  const backIntoWord = (event) => {
    if (event.isComposing || input.value.slice(settled) !== '') return;
    event.preventDefault();
    reset(back());
  };

  input.addEventListener('input', (event) => read(event.isComposing));
  input.addEventListener('compositionend', () => read(false));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Backspace') backIntoWord(event);
    if (event.key === 'Enter' && !event.isComposing) ended();
    // The caret stays at the end.
    if (/^(Arrow|Home|End|Page)/.test(event.key)) event.preventDefault();
  });
  input.addEventListener('beforeinput', (event) => {
    // Some phone keyboards report a backspace only here.
    if (event.inputType.startsWith('delete') && event.inputType.endsWith('Backward')) backIntoWord(event);
    if (/^insertFrom(Paste|Drop|Yank)/.test(event.inputType)) event.preventDefault();
  });
  for (const name of ['paste', 'drop']) input.addEventListener(name, (event) => event.preventDefault());
  const toEnd = () => input.setSelectionRange(input.value.length, input.value.length);
  input.addEventListener('focus', toEnd);
  input.addEventListener('pointerup', toEnd);
  return { input, reset, press };
}
