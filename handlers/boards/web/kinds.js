// Kinds of boards in words: `words`, `words-60s`, `code-rust`.

const NAMES = { words: 'Words', quotes: 'Quotations', code: 'Code' };

const capital = (text) => text[0].toUpperCase() + text.slice(1);

export function inWords(kind) {
  const parts = kind.split('-');
  const time = /^\d+s$/.test(parts.at(-1)) ? parts.pop().slice(0, -1) : null;
  const [text, ...language] = parts;
  const name = [NAMES[text] ?? capital(text), ...language.map(capital)].join(', ');
  return time ? `${name}, ${time} seconds` : name;
}

// The kinds to choose from: those of the texts and times that the server offers.
export async function kinds(get) {
  const [{ kinds: texts = [] }, { seconds = [] }] = await Promise.all([
    get('/texts').catch(() => ({})),
    get('/lobby/timed').catch(() => ({})),
  ]);
  const of = ({ kind, languages }) => {
    if (kind === 'own' || kind === 'again') return [];
    if (kind === 'quotes') return [kind];
    return languages.map((language) => (language === 'default' ? kind : `${kind}-${language}`));
  };
  const plain = new Set(['words', ...texts.flatMap(of)]);
  return [...plain, ...seconds.map((time) => `words-${time}s`)];
}
