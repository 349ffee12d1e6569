import { describe, expect, it } from 'vitest';
import { type Filter, queryFor, querySessionsOf, STATUSES } from '../../../src/client/list/query.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const ALL = `WorkflowType = 'onboardingSession' AND ExecutionStatus != 'ContinuedAsNew'`;

describe('queryFor', () => {
  it.each<[Filter, string]>([
    [{}, ''],
    [{ stage: 'needsToken' }, ` AND IncodeStage = 'needsToken'`],
    [{ outcome: 'approved' }, ` AND IncodeOutcome = 'approved'`],
    [{ batch: 'night-1' }, ` AND IncodeBatchId = 'night-1'`],
    [{ olderThan: 3_600_000 }, ` AND StartTime < '2026-03-01T11:00:00.000Z'`],
    [{ newerThan: 60_000 }, ` AND StartTime > '2026-03-01T11:59:00.000Z'`],
    [{ status: 'open' }, ` AND ExecutionStatus = 'Running'`],
    [{ status: 'closed' }, ` AND ExecutionStatus != 'Running'`],
    [{ status: 'cancelled' }, ` AND ExecutionStatus = 'Canceled'`],
    [{ stage: 'waiting', status: 'open' }, ` AND IncodeStage = 'waiting' AND ExecutionStatus = 'Running'`],
  ])('has only the conditions of the filter %j', (filter, condition) => {
    expect(queryFor(filter, NOW)).toBe(ALL + condition);
  });

  it('lists people instead of sessions', () => {
    const people = `WorkflowType = 'captureOnboarding' AND ExecutionStatus != 'ContinuedAsNew'`;
    expect(queryFor({ people: true, stage: 'needsImage' }, NOW)).toBe(`${people} AND IncodeStage = 'needsImage'`);
  });

  it('has a different condition for each status', () => {
    expect(new Set(STATUSES.map((status) => queryFor({ status }))).size).toBe(STATUSES.length);
  });

  it('computes ages from now', () => {
    const [, since = ''] = /StartTime < '(.+)'/.exec(queryFor({ olderThan: 0 })) ?? [];
    expect(Math.abs(Date.now() - Date.parse(since))).toBeLessThan(60_000);
  });

  it('escapes quotes in a batch id', () => {
    expect(queryFor({ batch: `a' OR 'x' = 'x\\` })).toBe(`${ALL} AND IncodeBatchId = 'a\\' OR \\'x\\' = \\'x\\\\'`);
  });
});

describe('querySessionsOf', () => {
  it('names the workflows of the people, with quotes escaped', () => {
    expect(querySessionsOf(['incode-capture/4711', "incode-capture/o'neil"])).toBe(
      `WorkflowType = 'onboardingSession' AND ParentWorkflowId IN ('incode-capture/4711', 'incode-capture/o\\'neil')`,
    );
  });
});
