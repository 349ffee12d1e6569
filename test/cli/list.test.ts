import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Filter, queryFor } from '../../src/client/list/query.js';
import { type Ran, run } from '../support/cli.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

// Each call starts a program, which takes seconds on a loaded machine.
const list = (...args: string[]): Promise<Ran> => run(['list', '--address', inject('temporalAddress'), ...args]);

/** Runs the command and parses its JSON lines. */
async function listed(...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await list('--json', ...args);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Starts sessions with one batch id and waits until the server lists them. */
async function started(batchId: string): Promise<{ approved: string; waiting: string; failed: string }> {
  const [approved, waiting, failed] = await Promise.all([
    world.simulator.openSession(),
    world.simulator.openSession(),
    world.simulator.openSession(),
  ]);
  world.simulator.fault({
    operation: 'finishStatus',
    interviewId: failed.interviewId,
    kind: 'status',
    status: 404,
    times: null,
  });
  for (const { interviewId, token, plan } of [
    { ...approved, plan: { score: false } },
    { ...waiting, plan: { finishWhen: 'asked' as const } },
    { ...failed, plan: {} },
  ])
    await world.onboarding.start({ interviewId, sessionToken: token, plan }, { batchId });
  const counted = async () => {
    const sessions = await listed('--batch', batchId);
    return sessions.map(({ status, stage }) => `${status} ${stage}`).sort();
  };
  await expect.poll(counted).toEqual(['completed done', 'failed finishing', 'running waiting']);
  return { approved: approved.interviewId, waiting: waiting.interviewId, failed: failed.interviewId };
}

describe('the command list', () => {
  it('finds sessions by batch, stage, outcome, status and age', async () => {
    const batchId = `list-${randomUUID()}`;
    const { approved, waiting, failed } = await started(batchId);
    const ids = async (...args: string[]) =>
      (await listed('--batch', batchId, ...args)).map(({ interviewId }) => interviewId).sort();
    expect(await ids('--stage', 'waiting')).toEqual([waiting]);
    expect(await ids('--outcome', 'approved')).toEqual([approved]);
    expect(await ids('--outcome', 'rejected')).toEqual([]);
    expect(await ids('--status', 'open')).toEqual([waiting]);
    expect(await ids('--status', 'closed')).toEqual([approved, failed].sort());
    expect(await ids('--status', 'failed')).toEqual([failed]);
    expect(await ids('--newer-than', '1h')).toEqual([approved, waiting, failed].sort());
    expect(await ids('--older-than', '1h')).toEqual([]);
    const [session] = await listed('--batch', batchId, '--outcome', 'approved');
    expect(session).toEqual({
      interviewId: approved,
      workflowId: `incode-onboarding/${approved}`,
      runId: expect.any(String),
      status: 'completed',
      stage: 'done',
      outcome: 'approved',
      batchId,
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      closedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    await world.onboarding.cancel(waiting);
  });

  it('prints a table, with color only on request', async () => {
    const batchId = `list-${randomUUID()}`;
    const { approved, waiting, failed } = await started(batchId);
    const args = ['list', '--address', inject('temporalAddress'), '--batch', batchId];
    const { code, stdout } = await run(args);
    expect(code).toBe(0);
    for (const id of [approved, waiting, failed]) expect(stdout).toContain(id);
    expect(stdout).toContain('approved');
    expect(stdout).not.toContain('\u001b[');
    expect((await run(args, '', { FORCE_COLOR: '1' })).stdout).toContain('\u001b[32mapproved');
    await world.onboarding.cancel(waiting);
  });

  it('says that there are more sessions than --limit', async () => {
    const batchId = `list-${randomUUID()}`;
    const { waiting } = await started(batchId);
    for (const args of [[], ['--json']]) {
      const { code, stdout, stderr } = await list('--batch', batchId, '--limit', '2', ...args);
      expect(code).toBe(0);
      expect(stdout.match(/[0-9a-f]{24}(?![0-9a-f"]*","runId)/g)?.length).toBeGreaterThanOrEqual(2);
      expect(stderr).toContain('There are more than 2');
    }
    expect(await listed('--batch', batchId, '--limit', '2')).toHaveLength(2);
    expect((await list('--batch', batchId, '--limit', '3')).stderr).toBe('');
    await world.onboarding.cancel(waiting);
  });

  it.each([["it's one"], ["two '' in it"], ["x' OR IncodeStage = 'done"], ['é; -- #'], ['100% of _them_']])(
    'finds only the batch with the id %s',
    async (name) => {
      const batchId = `${randomUUID()} ${name}`;
      const { interviewId, token } = await world.simulator.openSession();
      await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } }, { batchId });
      await expect
        .poll(async () => (await listed('--batch', batchId)).map((session) => session.interviewId))
        .toEqual([interviewId]);
      expect(await listed('--batch', `${batchId} `)).toEqual([]);
    },
  );

  it('says that no session was found and where to find sessions of a list', async () => {
    const { code, stdout, stderr } = await list('--batch', 'nobody-has-this');
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('No session. For a list: temporal-incode batch --status --batch-id nobody-has-this');
  });

  it.each([
    [['--stage', 'sleeping'], 'waiting, finishing, needsToken, closing, scoring, inReview, done'],
    [['--outcome', 'perfect'], 'approved, rejected, needsReview, undecided, expired'],
    [['--status', 'gone'], 'open, closed'],
    [['--older-than', 'old'], '--older-than must be a duration'],
    [['--older-than', '2d', '--newer-than', '1d'], '--older-than must be less than --newer-than'],
    [['--batch', 'a "quoted" one'], '--batch must be a batch id without quotation marks'],
    [['--batch', "ends with '"], '--batch must be a batch id without quotation marks'],
    [['--batch', 'back\\slash'], '--batch must be a batch id without quotation marks'],
    [['--limit', '0'], '--limit must be a whole number from 1'],
  ])('exits with 2 and the valid values for %j', async (args, why) => {
    const { code, stdout, stderr } = await list(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(stdout).toBe('');
  });
});

describe('queryFor', () => {
  const base = `WorkflowType = 'onboardingSession' AND ExecutionStatus != 'ContinuedAsNew'`;

  it.each<[Filter, string]>([
    [{}, ''],
    [{ stage: 'needsToken', status: 'open' }, ` AND IncodeStage = 'needsToken' AND ExecutionStatus = 'Running'`],
    [{ batch: `a'b\\` }, ` AND IncodeBatchId = 'a\\'b\\\\'`],
    [{ olderThan: 1_000 }, ` AND StartTime < '1970-01-01T00:00:01.000Z'`],
    [{ newerThan: 2_000 }, ` AND StartTime > '1970-01-01T00:00:00.000Z'`],
  ])('has the conditions of the filter %j', (filter, added) => {
    expect(queryFor(filter, 2_000)).toBe(base + added);
  });
});
