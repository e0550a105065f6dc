// Pages under axe, in every theme, and pictures of them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

import { picture } from './helper.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Besides the system's theme.
const THEMES = ['light', 'dark', 'storm', 'paper'];

// Milliseconds after which nothing fades any more.
const FADED = 1_500;

// Takes a picture of the page in each theme, if SCREENSHOTS asks for them, and fails if the page is wider than the screen or
// axe finds something. `name` is that of the page. The page stays as it is: only its theme changes for a moment.
export async function lookAt(page, name) {
  await picture(page, name);
  for (const theme of process.env.SCREENSHOTS ? THEMES : []) {
    await wear(page, theme);
    await picture(page, `${name}-${theme}`);
  }
  const beyond = await page.evaluate(({ scrollWidth, clientWidth } = document.documentElement) => scrollWidth - clientWidth);
  assert.equal(beyond, 0, `${name} is wider than the screen`);
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const find = () => page.evaluate(findings, [null, ...THEMES]);
  let found = await find();
  if (found.length > 0) {
    // Not what was fading at that moment, such as GO.
    await delay(FADED);
    found = await find();
  }
  assert.deepEqual(found, [], name);
}

const wear = (page, theme) => page.evaluate((it) => (document.documentElement.dataset.theme = it), theme);

// Runs in the page. Themes differ in their colours only, so all other rules are checked once.
async function findings(themes) {
  const found = [];
  for (const theme of themes) {
    if (theme === null) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    // Colours that change slowly are those of the new theme at once.
    for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish();
    const { violations } = await globalThis.axe.run(theme === null ? {} : { runOnly: ['color-contrast'] });
    for (const { id, nodes } of violations) found.push([theme ?? 'system', id, ...nodes.map(({ html }) => html)].join(' | '));
  }
  delete document.documentElement.dataset.theme;
  return found;
}
