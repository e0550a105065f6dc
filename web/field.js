// The input in which one types: a real one, so that phones show their keyboard and input methods work.
// It holds the current word alone, and what it reads is what counts, not keys: keyboards of phones
// report none.

import { h } from './ui.js';

// `typed(value, composing)` is told what the input reads and answers with the current word then;
// `back()` is told of a backspace at the beginning of a word, and answers with the word one is in then.
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
  // An input method loses its thread if the value changes while it composes. Until it has finished,
  // words that are over stay in the input, and this is how many letters they have.
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

  // As if that key had been pressed in the input.
  const press = (letter) => {
    input.value += letter;
    read(false);
  };

  // Enter is no blank, but means the same at the end of the text.
  const ended = () => typed(`${input.value.slice(settled)}\n`, false);

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
    // Some keyboards of phones tell of a backspace only here.
    if (event.inputType.startsWith('delete') && event.inputType.endsWith('Backward')) backIntoWord(event);
    if (/^insertFrom(Paste|Drop|Yank)/.test(event.inputType)) event.preventDefault();
  });
  for (const name of ['paste', 'drop']) input.addEventListener(name, (event) => event.preventDefault());
  const toEnd = () => input.setSelectionRange(input.value.length, input.value.length);
  input.addEventListener('focus', toEnd);
  input.addEventListener('pointerup', toEnd);
  return { input, reset, press };
}
