import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, problemName } from '../gateway/support.js';
import { begin, stateOf, untilStage } from '../support/lifecycle.js';
import { shows, textOf } from './support.js';
import { type ConsoleWorld, needsToken, OPERATOR, READER, STARTER, startConsoleWorld, WEB_UI } from './world.js';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await startConsoleWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const DAY_MS = 86_400_000;

const session = (interviewId: string) => `#/sessions/${encodeURIComponent(interviewId)}`;
const ids = (page: Page) => page.locator('.sessions tbody th').allInnerTexts();
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

describe('the overview', () => {
  it('shows what waits for a person first, then the open sessions, then how the last ones ended', async () => {
    await using tab = await world.open('');
    const { page } = tab;
    await shows(page, 'Needs a token 1');
    const [waiting, open, ended] = await page.locator('main section').allInnerTexts();
    expect(flat(waiting)).toMatch(/^Waiting for a person ! Needs a token 1 .*◉ In review 1 /);
    expect(flat(open)).toMatch(/^Open sessions ◔ Waiting 1 .*▸ At work 1 /);
    expect(flat(ended)).toMatch(/^Ended in the last 24 hours Approved 1 Rejected 1 Needs review 0 .*Failed 0/);
    const { needsToken: token, inReview } = world.held;
    expect(await ids(page)).toEqual([token.interviewId, inReview.interviewId]);
  });

  it('draws the outcomes as a chart and has the same numbers as a table', async () => {
    await using tab = await world.open('');
    const { page } = tab;
    await page.getByText('Show the numbers').click();
    const rows = page.locator('details tbody tr');
    expect(await rows.count()).toBe(24);
    const sums = (await rows.allInnerTexts()).map((row) => row.split(/\s+/).slice(1).map(Number));
    const total = (column: number) => sums.reduce((sum, row) => sum + (row[column] ?? 0), 0);
    expect([total(0), total(1)]).toEqual([1, 1]);
    // The bars have the colors of their parts.
    const colors = await page.evaluate(`(${PIXELS})(document.querySelector('.chart canvas'))`);
    expect(colors).toEqual(expect.arrayContaining(['47,158,98', '209,67,77']));
  });

  it('leads from a number to the sessions that it counts', async () => {
    await using tab = await world.open('');
    const { page } = tab;
    await page.getByRole('link', { name: 'In review 1' }).click();
    await shows(page, 'Sessions');
    await expect.poll(() => ids(page)).toEqual([world.held.inReview.interviewId]);
    expect(await page.getByLabel('Stage').inputValue()).toBe('inReview');
  });

  it('counts a session that begins to wait while it is watched', async () => {
    await using tab = await world.open('');
    const { page } = tab;
    await shows(page, 'Needs a token 1');
    const { interviewId } = await needsToken(world);
    await shows(page, 'Needs a token 2');
    await world.onboarding.cancel(interviewId);
    await shows(page, 'Needs a token 1');
  });
});

/** The different colors of a canvas. */
const PIXELS = `(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colors = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) colors.add(data.slice(at, at + 3).join(','));
  return [...colors];
}`;

describe('the list of sessions', () => {
  it('filters by stage, outcome, status and batch, and keeps the filter in the address', async () => {
    const batchId = `batch-${randomUUID()}`;
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token }, { batchId });
    await world.onboarding.result(interviewId);
    await using tab = await world.open('#/sessions');
    const { page } = tab;
    await page.getByLabel('Outcome').selectOption('Rejected');
    await button(page, 'Show').click();
    await expect.poll(() => ids(page)).toEqual([world.held.rejected.interviewId]);
    expect(new URL(page.url()).hash).toBe('#/sessions?outcome=rejected');
    await page.getByLabel('Outcome').selectOption('Any');
    await page.getByLabel('Batch').fill(batchId);
    await button(page, 'Show').click();
    await expect.poll(() => ids(page)).toEqual([interviewId]);
    await page.getByLabel('Status').selectOption('Open');
    await button(page, 'Show').click();
    await shows(page, 'No session matches.');
    await page.goBack();
    await expect.poll(() => ids(page)).toEqual([interviewId]);
    expect(await page.getByLabel('Batch').inputValue()).toBe(batchId);
  });

  it('shows what the gateway has against a filter', async () => {
    await using tab = await world.open('#/sessions');
    await tab.page.getByLabel('Batch').fill('a"b');
    await button(tab.page, 'Show').click();
    await shows(tab.page, 'The request is invalid');
    await shows(tab.page, 'without quotation marks');
  });

  it('continues a long list', async () => {
    const batchId = `batch-${randomUUID()}`;
    const plan = { finishWhen: 'asked' } as const;
    const sessions = await world.sessions(51);
    await Promise.all(sessions.map((one) => world.onboarding.start({ ...one, plan }, { batchId })));
    await using tab = await world.open(`#/sessions?batch=${batchId}`);
    const { page } = tab;
    await expect.poll(async () => (await ids(page)).length).toBe(50);
    await button(page, 'Show more').click();
    await expect.poll(async () => (await ids(page)).length).toBe(51);
    expect((await ids(page)).sort()).toEqual(sessions.map(({ interviewId }) => interviewId).sort());
    expect(await button(page, 'Show more').isVisible()).toBe(false);
    await Promise.all(sessions.map(({ interviewId }) => world.onboarding.cancel(interviewId)));
  });
});

describe('the page of a session', () => {
  it('is found by interview id', async () => {
    const { interviewId } = world.held.inReview;
    await using tab = await world.open('');
    await tab.page.getByRole('searchbox').fill(`  ${interviewId} `);
    await tab.page.keyboard.press('Enter');
    await shows(tab.page, `Session ${interviewId}`, 'h1');
  });

  it('says that a session has no onboarding', async () => {
    await using tab = await world.open(session('nobody'));
    await shows(tab.page, 'The session has no onboarding');
  });

  it('shows what a session waits for, until when, its score and its life', async () => {
    const { interviewId } = world.held.inReview;
    await using tab = await world.open(session(interviewId));
    const { page } = tab;
    await shows(page, "A person has to approve or reject the session on Incode's dashboard.");
    const { deadline } = await stateOf(world, interviewId);
    await shows(page, `This stage ends by itself at ${deadline?.slice(0, 19).replace('T', ' ')} · in 30 days`);
    await shows(page, 'Score WARN 61.0');
    const stages = await page.locator('.strip .label').allInnerTexts();
    expect(stages.slice(-3)).toEqual(['Finishing', 'Scoring', 'In review']);
    await shows(page, 'Score: WARN', '.events');
    const link = page.getByRole('link', { name: 'Open in the Web UI' });
    expect(await link.getAttribute('href')).toBe(`${WEB_UI}incode-onboarding%2F${interviewId}`);
  });

  it('shows the call that is repeated and why', async () => {
    await using tab = await world.open(session(world.held.failing.interviewId));
    await shows(tab.page, /Call finishStatus Attempt [2-9]\d* Last failure .*Incode answered 503.*\(IncodeNotTaken\)/);
  });

  it('says who has to act if Incode refuses the API key', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ interviewId, operation: 'finishStatus', kind: 'status', status: 403, times: null });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await using tab = await world.open(session(interviewId));
    await shows(tab.page, 'The operator of the workers has to correct INCODE_API_KEY');
    await world.onboarding.cancel(interviewId);
  });

  it('follows a session that changes while it is watched', async () => {
    const { interviewId } = await begin(world, {}, { action: 'approved', scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await using tab = await world.open(session(interviewId));
    const { page } = tab;
    await shows(page, 'Scoring', '.current');
    world.simulator.setScoreReady(interviewId);
    await shows(page, 'Approved', '.current');
    await expect.poll(() => textOf(page, '[role=status].unseen')).toBe('The session is now: approved');
    expect(await button(page, /Cancel/).isVisible()).toBe(false);
  });
});

describe('the actions', () => {
  it('hands in a token, and shows why another one is refused', async () => {
    const { interviewId, token } = await needsToken(world);
    await using tab = await world.open(session(interviewId));
    const { page } = tab;
    await button(page, /Hand in a token/).click();
    await page.getByLabel(/Session token/).fill(token);
    await button(page, 'Hand in').last().click();
    await shows(page, 'is the one that Incode refused', 'dialog');
    await page.getByLabel(/Session token/).fill(await world.simulator.issueToken(interviewId));
    await button(page, 'Hand in').last().click();
    await shows(page, 'Approved', '.current');
    expect(await page.locator('dialog').count()).toBe(0);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('extends a deadline', async () => {
    const { interviewId } = world.held.waiting;
    const before = await stateOf(world, interviewId);
    await using tab = await world.open(session(interviewId));
    const { page } = tab;
    await button(page, /Extend/).click();
    await page.getByLabel('By').fill('2');
    await page.getByLabel('Unit').selectOption('weeks');
    await button(page, 'Extend').last().click();
    await shows(page, 'in 21 days', '.current');
    const after = await stateOf(world, interviewId);
    expect(Date.parse(String(after.deadline)) - Date.parse(String(before.deadline))).toBe(14 * DAY_MS);
  });

  it('extends a deadline once if the first answer is lost', async () => {
    const { interviewId } = await begin(world, { plan: { finishWhen: 'asked' } });
    await untilStage(world, interviewId, 'waiting');
    const before = await stateOf(world, interviewId);
    await using tab = await world.open(session(interviewId));
    const { page } = tab;
    let isLost = false;
    await page.route('**/deadline', async (route) => {
      if (isLost) return route.continue();
      isLost = true;
      await route.fetch();
      await route.abort();
    });
    await button(page, /Extend/).click();
    await button(page, 'Extend').last().click();
    await shows(page, 'The gateway does not answer', 'dialog');
    await button(page, 'Extend').last().click();
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    const after = await stateOf(world, interviewId);
    expect(Date.parse(String(after.deadline)) - Date.parse(String(before.deadline))).toBe(7 * DAY_MS);
    await world.onboarding.cancel(interviewId);
  });

  it('cancels an onboarding after a confirmation', async () => {
    const { interviewId } = await begin(world, { plan: { finishWhen: 'asked' } });
    await untilStage(world, interviewId, 'waiting');
    await using tab = await world.open(session(interviewId));
    const { page } = tab;
    await button(page, /Cancel/).click();
    await button(page, 'Back').click();
    expect(await page.locator('dialog').count()).toBe(0);
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    await button(page, /Cancel/).click();
    await shows(page, interviewId, 'dialog');
    await button(page, 'Cancel the onboarding').last().click();
    await shows(page, 'Cancelled', '.current');
    expect((await world.onboarding.state(interviewId)).status).toBe('cancelled');
  });
});

describe('access', () => {
  it('asks for a token, keeps it in the tab only, and forgets it', async () => {
    await using tab = await world.open('', {});
    const { page } = tab;
    await page.getByLabel('Token of this gateway').fill('tig_wrong');
    await button(page, 'Sign in').click();
    await shows(page, 'No valid token');
    await page.getByLabel('Token of this gateway').fill(READER.token);
    await button(page, 'Sign in').click();
    await shows(page, 'Waiting for a person');
    await shows(page, 'support (read)', 'header');
    expect(page.url()).not.toContain('tig_');
    expect(await page.evaluate('JSON.stringify(localStorage) + document.cookie')).toBe('{}');
    await button(page, 'Sign out').click();
    await shows(page, 'Sign in', 'h1');
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}');
  });

  it('has no buttons for a token that may only read, which the gateway refuses too', async () => {
    const { interviewId } = world.held.needsToken;
    await using tab = await world.open(session(interviewId), { token: READER.token });
    await shows(tab.page, 'Needs a token');
    expect(await tab.page.locator('main button').count()).toBe(0);
    const refused = await ask(world.gateway, `DELETE /v1/sessions/${interviewId}`, { token: READER.token });
    expect([refused.status, problemName(refused)]).toEqual([403, 'Forbidden']);
  });

  it('shows one session, but no lists, to a token that may only start', async () => {
    const { interviewId } = world.held.needsToken;
    await using tab = await world.open('', { token: STARTER.token });
    const { page } = tab;
    await shows(page, 'Enter an interview id above');
    expect(await page.locator('nav a').count()).toBe(0);
    await page.getByRole('searchbox').fill(interviewId);
    await page.keyboard.press('Enter');
    await shows(page, 'Needs a token');
    expect(await page.locator('main button:visible').allInnerTexts()).toEqual(['Hand in a token …']);
  });

  it('asks to sign in again when the token is not valid any more', async () => {
    await using tab = await world.open('', { token: OPERATOR.token });
    await shows(tab.page, 'Waiting for a person');
    await tab.page.setExtraHTTPHeaders({ authorization: 'Bearer tig_gone' });
    await tab.page.route('**/v1/**', (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer tig_gone' } }),
    );
    await shows(tab.page, 'Sign in', 'h1');
  });
});

describe('a gateway that is away', () => {
  it('is announced and asked again, while the page keeps what it shows', async () => {
    await using tab = await world.open('');
    const { page } = tab;
    await shows(page, 'In review 1');
    world.cut();
    try {
      await shows(page, 'The gateway does not answer.', '.banner');
      await shows(page, 'In review 1');
    } finally {
      world.mend();
    }
    await expect.poll(() => page.locator('.banner').textContent()).toBe('');
    await shows(page, 'In review 1');
  });

  it('is waited for when the page opens', async () => {
    await using tab = await world.open('#/sessions');
    const { page } = tab;
    await page.route('**/v1/**', (route) => route.abort());
    await page.reload();
    await shows(page, 'The gateway does not answer.', '.banner');
    await page.unroute('**/v1/**');
    await shows(page, 'Sessions', 'h1');
  });
});

describe('hostile text', () => {
  const HOSTILE = `"'><img src=x onerror=alert(1)><script>alert(2)</script><a href=javascript:alert(3)>`;

  it('stays text in an interview id and a batch id', async () => {
    const interviewId = `<img/src=x/onerror=alert(1)>${randomUUID()}`;
    const batchId = `<script>alert(1)</script>${randomUUID()}`;
    const { token } = await world.simulator.openSession({ interviewId });
    await world.onboarding.start({ interviewId, sessionToken: token }, { batchId });
    await world.onboarding.result(interviewId);
    await using tab = await world.open(`#/sessions?batch=${encodeURIComponent(batchId)}`);
    const { page } = tab;
    await shows(page, interviewId);
    await shows(page, batchId);
    await page.getByRole('link', { name: interviewId }).click();
    await shows(page, `Session ${interviewId}`, 'h1');
    await shows(page, 'Approved', '.current');
    expect(await page.locator('main :is(img, script)').count()).toBe(0);
  });

  it.each(['', '#/sessions', '#/sessions/SESSION'])('stays text in every field of every answer at %j', async (hash) => {
    await using tab = await world.open('#/none');
    const { page } = tab;
    await page.route('**/v1/**', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: poisoned(await response.json()) });
    });
    await page.evaluate(`location.hash = ${JSON.stringify(hash.replace('SESSION', world.held.inReview.interviewId))}`);
    await page.reload();
    await shows(page, HOSTILE);
    expect(await page.locator('main :is(img, script), a[href^="javascript:" i]').count()).toBe(0);
    // The page goes on asking until it is closed.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  /** Every text except for those that decide what is shown. */
  function poisoned(value: unknown, name = ''): unknown {
    if (Array.isArray(value)) return value.map((item) => poisoned(item, name));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poisoned(item, key)]));
    }
    if (typeof value !== 'string' || KEPT.includes(name)) return value;
    return `${HOSTILE}${value}`;
  }
  const KEPT = ['scopes', 'status', 'from', 'at', 'startedAt', 'closedAt', 'deadline', 'nextAttemptAt'];
});

function flat(text = ''): string {
  return text.replace(/\s+/g, ' ').trim();
}
