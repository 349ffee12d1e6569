import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shows } from './support.js';
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from './world.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let world: ConsoleWorld;
beforeAll(async () => {
  world = await startConsoleWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const { token } = OPERATOR;

interface Case {
  /** @returns the path of the page */
  hash(): string;
  /** What the page shows when it is complete. */
  text: string;
  token?: string;
  /** Brings the page into the state to look at. */
  prepare?(page: Page): Promise<void>;
}

const session = (name: 'inReview' | 'failing' | 'approved' | 'waiting') => `#/sessions/${world.held[name].interviewId}`;

const CASES: Record<string, Case> = {
  'the overview': {
    hash: () => '',
    text: 'In review 1',
    token,
    prepare: (page) => page.getByText('Show the numbers').click(),
  },
  'the list of sessions': { hash: () => '#/sessions', text: 'Approved', token },
  'a list that is refused': { hash: () => '#/sessions?stage=nowhere', text: 'The request is invalid', token },
  'an open session': { hash: () => session('inReview'), text: 'Score: WARN', token },
  'a session whose call is repeated': { hash: () => session('failing'), text: 'IncodeNotTaken', token },
  'a session that has ended': { hash: () => session('approved'), text: 'Outcome: approved', token },
  'the list of batches': { hash: () => '#/batches', text: 'Running', token },
  'a batch': { hash: () => `#/batches/${world.held.batchId}`, text: '1 of 2', token },
  'an unknown session': { hash: () => '#/sessions/nobody', text: 'no onboarding', token },
  'a dialog': {
    hash: () => session('waiting'),
    text: 'Extend the deadline',
    token,
    prepare: (page) => page.getByRole('button', { name: /Extend/ }).click(),
  },
  'the page to sign in': { hash: () => '', text: 'Sign in' },
  'a refused token': {
    hash: () => '',
    text: 'Sign in',
    prepare: async (page) => {
      await page.getByLabel('Token of this gateway').fill('tig_wrong');
      await page.keyboard.press('Enter');
      await shows(page, 'No valid token');
    },
  },
};

const PHONE = { width: 320, height: 640 };

describe.each(Object.entries(CASES))('%s', (_, { hash, text, token: signedIn, prepare }) => {
  it.each(['light', 'dark'] as const)('has no serious problem of accessibility in %s', async (colorScheme) => {
    await using tab = await world.open(hash(), { colorScheme, ...(signedIn ? { token: signedIn } : {}) });
    const { page } = tab;
    await shows(page, text);
    await prepare?.(page);
    await page.evaluate(AXE);
    const problems = await page.evaluate<unknown[]>(`axe.run(document).then(({ violations }) =>
      violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html + failureSummary)]))`);
    expect(problems).toEqual([]);
  });

  it('fits a phone', async () => {
    await using tab = await world.open(hash(), { viewport: PHONE, ...(signedIn ? { token: signedIn } : {}) });
    const { page } = tab;
    await shows(page, text);
    await prepare?.(page);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
  });
});

describe('with a keyboard alone', () => {
  const focused = (page: Page) =>
    page.evaluate<string>(`document.activeElement === document.body ? '' : document.activeElement.textContent.trim()`);

  /** Presses Tab until something with this text has the focus. */
  async function tabTo(page: Page, text: string): Promise<void> {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await focused(page)).startsWith(text)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`${text} is not reached: the focus is on ${await focused(page)}`);
  }

  it('reaches a session from the overview, and a dialog that returns the focus', async () => {
    const { interviewId } = world.held.inReview;
    await using tab = await world.open('', { token });
    const { page } = tab;
    await shows(page, 'In review 1');
    await tabTo(page, 'Skip to the content');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('Overview');
    await tabTo(page, interviewId);
    await page.keyboard.press('Enter');
    await shows(page, 'Score: WARN');
    expect(await focused(page)).toBe(`Session ${interviewId}`);
    await tabTo(page, 'Cancel the onboarding');
    await page.keyboard.press('Enter');
    await shows(page, 'Cancel the onboarding?', 'dialog');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    expect(await focused(page)).toBe('Cancel the onboarding …');
  });

  it('keeps the focus on a row while the page refreshes', async () => {
    await using tab = await world.open('', { token });
    const { page } = tab;
    await shows(page, 'In review 1');
    const { interviewId } = world.held.inReview;
    await tabTo(page, interviewId);
    const refreshed = page.waitForResponse((response) => response.url().endsWith('/v1/overview'));
    await (await refreshed).finished();
    const again = page.waitForResponse((response) => response.url().endsWith('/v1/overview'));
    await (await again).finished();
    expect(await focused(page)).toBe(interviewId);
  });
});
