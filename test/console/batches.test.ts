import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stopBatch } from '../../src/client/index.js';
import { shows, textOf } from './support.js';
import { type ConsoleWorld, handOver, OPERATOR, READER, startBatch, startConsoleWorld } from './world.js';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await startConsoleWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const pageOf = (batchId: string) => `#/batches/${encodeURIComponent(batchId)}`;
const button = (page: Page, name: string) => page.getByRole('button', { name });

const APPROVED = { action: 'approved', score: { status: 'OK', value: '94.6' } } as const;
const HELD = { ...APPROVED, scoreReadyAfterMs: null };

/** Paths of the answers that a page gets from now on. */
function requestsOf(page: Page): string[] {
  const paths: string[] = [];
  page.on('request', (request) => paths.push(new URL(request.url()).pathname));
  return paths;
}

describe('the list of batches', () => {
  it('leads to a batch', async () => {
    const { batchId } = world.held;
    await using tab = await world.open('');
    const { page } = tab;
    await page.getByRole('link', { name: 'Batches' }).click();
    await shows(page, `${batchId} ▸ Running 2 sessions`);
    await page.getByRole('link', { name: batchId }).click();
    await shows(page, `Batch ${batchId}`, 'h1');
    await shows(page, '1 of 2', '.current');
  });
});

describe('the page of a batch', () => {
  it('follows a batch to its end by events, without polls', async () => {
    const { batchId, sessions } = await startBatch(world, [APPROVED, HELD]);
    await using tab = await world.open(pageOf(batchId));
    const { page } = tab;
    await shows(page, '▸ Running 1 of 2', '.current');
    await shows(page, 'Approved 1');
    const requests = requestsOf(page);
    world.simulator.setScoreReady(String(sessions[1]?.interviewId));
    await shows(page, '■ Ended 2 of 2', '.current');
    await shows(page, 'Approved 2');
    await expect.poll(() => textOf(page, '[role=status].unseen')).toBe('The batch is now: Ended');
    expect(requests).toEqual([]);
  });

  it('polls if the gateway has no room for another listener', async () => {
    const { batchId, sessions } = await startBatch(world, [APPROVED, HELD]);
    await using tab = await world.open('#/none');
    const { page } = tab;
    const json = {
      type: 'urn:temporal-incode:TooManyListeners',
      title: 'Too many listeners',
      status: 503,
      detail: 'x',
    };
    await page.route('**/v1/events**', (route) => route.fulfill({ status: 503, json }));
    await page.evaluate(`location.hash = ${JSON.stringify(pageOf(batchId))}`);
    await shows(page, '▸ Running 1 of 2', '.current');
    world.simulator.setScoreReady(String(sessions[1]?.interviewId));
    await shows(page, '■ Ended 2 of 2', '.current');
  });

  it('shows failures by their type, with sessions as examples', async () => {
    const [bad, unknown] = await world.sessions(2, APPROVED);
    for (const [session, status] of [
      [bad, 400],
      [unknown, 404],
    ] as const) {
      const interviewId = String(session?.interviewId);
      world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status, times: null });
    }
    const sessions = [
      ...(await world.sessions(1, APPROVED)),
      ...[bad, unknown].filter((session) => session !== undefined),
    ];
    const { batchId } = await handOver(world, sessions);
    await using tab = await world.open(pageOf(batchId));
    const { page } = tab;
    await shows(page, '■ Ended 3 of 3', '.current');
    await button(page, 'Show failures by type').click();
    await shows(page, /IncodeBadRequest 1 /);
    await shows(page, /IncodeUnknownSession 1 /);
    await page.getByRole('link', { name: String(bad?.interviewId) }).waitFor();
  });

  it('pauses, resumes and stops a batch after a confirmation', async () => {
    const { batchId } = await startBatch(world, [APPROVED, HELD]);
    await using tab = await world.open(pageOf(batchId));
    const { page } = tab;
    await shows(page, '▸ Running', '.current');
    await button(page, 'Pause …').click();
    await shows(page, batchId, 'dialog');
    await button(page, 'Pause').last().click();
    await shows(page, '‖ Paused', '.current');
    await button(page, 'Resume …').click();
    await button(page, 'Resume').last().click();
    await shows(page, '▸ Running', '.current');
    await button(page, 'Stop …').click();
    await button(page, 'Stop the batch').click();
    await shows(page, '■ Ended 2 of 2', '.current');
    expect(await page.locator('main button:visible').count()).toBe(0);
  });

  it('has no buttons for a token that may only read', async () => {
    await using tab = await world.open(pageOf(world.held.batchId), { token: READER.token });
    await shows(tab.page, '▸ Running', '.current');
    expect(await tab.page.locator('main button:visible').count()).toBe(0);
  });

  it('says that there is no such batch', async () => {
    await using tab = await world.open(pageOf('nothing'));
    await shows(tab.page, 'No such batch');
  });

  it('shows a batch of 5,000 from its start to its end', async () => {
    const sessions = await world.sessions(5_000, APPROVED);
    const { batchId } = await handOver(world, sessions);
    await using tab = await world.open(pageOf(batchId), { token: OPERATOR.token });
    await shows(tab.page, /[\d,]+ of 5,000/, '.current');
    await shows(tab.page, '■ Ended 5,000 of 5,000', '.current');
    await shows(tab.page, 'Approved 5,000');
  });
});

describe('the overview', () => {
  it('shows a batch that is held up, and why', async () => {
    // Enough to open the circuit breaker.
    const sessions = await world.sessions(40, APPROVED);
    world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 503, times: null });
    const { batchId } = await handOver(world, sessions);
    await using direct = await world.open(pageOf(batchId));
    await shows(direct.page, '! Held up Held up:', '.current');
    await using tab = await world.open('');
    // The other batch is held up as well, because the worker asks nothing during an outage.
    await shows(tab.page, /Batches held up \d/);
    await shows(tab.page, `${batchId} finishStatus: Incode answered 503`);
    world.simulator.clearFaults();
    await stopBatch(world.onboarding, batchId, { waitMs: 0 });
  });
});

describe('hostile text', () => {
  const HOSTILE = `"'><img src=x onerror=alert(1)><script>alert(2)</script>`;

  it.each(['#/batches', '#/batches/BATCH'])('stays text in every field of every answer at %j', async (hash) => {
    await using tab = await world.open('#/none');
    const { page } = tab;
    await page.route('**/v1/events**', (route) => route.abort());
    await page.route('**/v1/batches**', async (route) => {
      const response = await route.fetch();
      const text = (await response.text()).replace(
        /("(?:batchId|of|type|message)":\s*")/g,
        `$1${JSON.stringify(HOSTILE).slice(1, -1)}`,
      );
      const held = text.replace('"heldUpBy":null', `"heldUpBy":${JSON.stringify(HOSTILE)}`);
      await route.fulfill({ response, body: held });
    });
    await page.route('**/v1/batches/**', async (route) => {
      const response = await route.fetch();
      const { heldUpBy: _, outcomes: __, ...batch } = await response.json();
      await route.fulfill({ response, json: { ...batch, heldUpBy: HOSTILE, outcomes: { [HOSTILE]: 1 } } });
    });
    await page.evaluate(`location.hash = ${JSON.stringify(hash.replace('BATCH', world.held.batchId))}`);
    await shows(page, HOSTILE);
    expect(await page.locator('main :is(img, script)').count()).toBe(0);
    // The page goes on asking until it is closed.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });
});
