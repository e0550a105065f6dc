// The kind of text for practice and races with friends, kept in this browser.

import { prefer, preferences } from '/web/preferences.js';
import { controls, offered } from './kinds.js';

export async function show(place) {
  const kinds = (await offered()).filter(({ kind }) => kind !== 'own');
  const { text: kind = 'words', language = null } = preferences().query;
  const choose = (choice) => {
    const { text, language: before, ...query } = preferences().query;
    const isDefault = choice.kind === 'words' && choice.language === null;
    const chosen = { text: choice.kind, ...(choice.language && { language: choice.language }) };
    prefer({ query: isDefault ? query : { ...query, ...chosen } });
  };
  place.append(controls(kinds, { kind, language }, choose, 'Kind of text for practice and races with friends'));
}
