import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { CHROMIUM_FLAGS, chromium as findChromium } from '../../scripts/browser.js';

/** A browser with a profile that nobody has used. */
export interface TestBrowser {
  /** Opens a tab of its own. Fails the test that closes it if the page had an error or broke its policy. */
  tab(url: string, options?: TabOptions): Promise<Tab>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TabOptions extends Pick<BrowserContextOptions, 'colorScheme' | 'viewport'> {
  /** Kept in the tab as if somebody had signed in. */
  token?: string;
}

export interface Tab {
  page: Page;
  /** What the page printed: errors, broken policies, failed requests. */
  complaints: string[];
  /** Requests to other hosts. */
  foreign: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startBrowser(): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'temporal-incode-chromium-'));
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: [...CHROMIUM_FLAGS, `--disk-cache-dir=${join(profile, 'cache')}`],
  });
  return {
    tab: async (url, options = {}) => {
      const { token, colorScheme = 'light', viewport = { width: 1_180, height: 900 } } = options;
      const context = await browser.newContext({ colorScheme, viewport, locale: 'en-US', timezoneId: 'UTC' });
      return openTab(context, url, token);
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

async function openTab(context: BrowserContext, url: string, token: string | undefined): Promise<Tab> {
  const page = await context.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    // An answer with an error status is what some tests are about.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) foreign.push(request.url());
  });
  if (token !== undefined) {
    await page.addInitScript(`sessionStorage.setItem('temporal-incode-token', ${JSON.stringify(token)})`);
  }
  await page.goto(url);
  return {
    page,
    complaints,
    foreign,
    async [Symbol.asyncDispose]() {
      await context.close();
      expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    },
  };
}

/** The text of an element as a person reads it, on one line. */
export async function textOf(page: Page, selector: string): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: textContent would include what is hidden
  const text = await page.locator(selector).first().innerText();
  return text.replace(/\s+/g, ' ').trim();
}

/** Waits until the page shows the text. */
export async function shows(page: Page, text: string | RegExp, selector = 'main'): Promise<void> {
  const found = async () => ((await page.locator(selector).count()) > 0 ? textOf(page, selector) : '');
  if (typeof text === 'string') await expect.poll(found).toContain(text);
  else await expect.poll(found).toMatch(text);
}
