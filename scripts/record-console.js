// Draws docs/console.png and docs/console-session.png: runs the demo and photographs its console. Run it after the console has changed.
// `zopflipng` makes them a third smaller without loss, which keeps the package small.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, chromium as findChromium } from './browser.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const VIEWPORT = { width: 1_080, height: 1_000 };
/** The package contains the pictures. */
const MAX_BYTES = 150_000;

const demo = spawn('node', ['dist/cli/main.js', 'demo', '--keep', '--json'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const exited = once(demo, 'exit');
try {
  const { console: url } = await printed(demo.stdout);
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  try {
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'light', locale: 'en-US' });
    await page.goto(url);
    await page.locator('.tile.warn').nth(1).waitFor();
    await page.locator('.chart canvas').waitFor();
    await photograph(page, 'console.png');
    await page.getByRole('link', { name: /In review/ }).click();
    await page.locator('.sessions tbody a').first().click();
    await page.locator('.strip').waitFor();
    await photograph(page, 'console-session.png');
  } finally {
    await browser.close();
  }
} finally {
  demo.kill('SIGINT');
  await exited;
}

async function photograph(page, name) {
  const path = `${root}/docs/${name}`;
  await page.mouse.move(0, 0);
  await page.screenshot({ path, animations: 'disabled' });
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new Error(`docs/${name} has ${size} bytes, more than ${MAX_BYTES}`);
  console.log(`docs/${name}: ${size} bytes`);
}

/** @returns the JSON that the demo prints when everything is done */
async function printed(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk;
    try {
      return JSON.parse(text);
    } catch {
      // More will come.
    }
  }
  throw new Error(`The demo ended early:\n${text}`);
}
