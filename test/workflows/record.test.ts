import { beforeEach, describe, expect, it, vi } from 'vitest';
import { carriedRecord, hear, learn, newRecord, note } from '../../src/workflows/record.js';

const STARTED = new Date('2026-03-01T11:59:58Z');
const NOW = new Date('2026-03-01T12:00:00Z');

/** Where the workflow runs. */
const info = { startTime: STARTED, continuedFromExecutionRunId: undefined as string | undefined };
vi.mock('@temporalio/workflow', () => ({ workflowInfo: () => info }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  info.continuedFromExecutionRunId = undefined;
  return () => {
    vi.useRealTimers();
  };
});

const fresh = () => newRecord({ interviewId: 'i' }, { finishWhen: 'now', captureDeadlineMs: 5_000 });
const events = ({ timeline }: ReturnType<typeof fresh>) => timeline.map(({ event }) => event);

describe('a new record', () => {
  it('of a session that is finished at once has no deadline', () => {
    const record = fresh();
    expect(record).toMatchObject({ stage: 'finishing', deadline: null, token: null });
    expect(record.timeline).toEqual([
      { at: STARTED.toISOString(), event: 'Started' },
      { at: NOW.toISOString(), event: 'Stage: finishing' },
    ]);
  });

  it.each(['asked', 'processed'] as const)(
    'of a session that is finished when %s has one from the start',
    (finishWhen) => {
      const record = newRecord({ interviewId: 'i', sessionToken: 't' }, { finishWhen, captureDeadlineMs: 5_000 });
      expect(record).toMatchObject({ stage: 'waiting', deadline: NOW.getTime() + 5_000, token: 't' });
    },
  );

  it('is plain JSON: the next run gets it', () => {
    const record = fresh();
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });
});

describe('a record that was handed on', () => {
  it('is taken by a run that continues another', () => {
    info.continuedFromExecutionRunId = 'the-run-before';
    const record = fresh();
    expect(carriedRecord(record)).toBe(record);
  });

  it.each([undefined, null, {}, 'text', { timeline: [] }, { heard: [] }, { timeline: {}, heard: [] }])(
    'is none if it is %j',
    (given) => {
      info.continuedFromExecutionRunId = 'the-run-before';
      expect(carriedRecord(given)).toBeUndefined();
    },
  );

  it('is not taken by the first run: a caller has made it up', () => {
    expect(carriedRecord(fresh())).toBeUndefined();
  });
});

it('the timeline keeps its beginning and its end', () => {
  const record = fresh();
  for (let n = 1; n <= 100; n += 1) note(record, `event ${n}`, new Date(n));
  expect(record.timeline).toHaveLength(51);
  expect([events(record)[0], events(record)[1], events(record)[50]]).toEqual(['Started', 'event 51', 'event 100']);
  expect(record.timeline[50]?.at).toBe(new Date(100).toISOString());
});

describe('what Incode says of a session', () => {
  it('is noted where it says something new, whichever way it comes', () => {
    const record = fresh();
    learn(record, null, 'answer');
    learn(record, 'POST_PROCESSING_FINISHED', 'answer');
    learn(record, 'POST_PROCESSING_FINISHED', 'webhook');
    // It comes late.
    learn(record, 'ID_VALIDATION_FINISHED', 'webhook');
    learn(record, 'ONBOARDING_FINISHED', 'webhook');
    expect(record.onboardingStatus).toBe('ONBOARDING_FINISHED');
    expect(events(record).slice(2)).toEqual([
      "Incode's status: POST_PROCESSING_FINISHED (answer)",
      "Incode's status: ONBOARDING_FINISHED (webhook)",
    ]);
  });

  it('is heard once of each status, although webhooks come again', () => {
    const record = fresh();
    for (const status of ['EXPIRED', 'ONBOARDING_FINISHED', 'EXPIRED', 'ONBOARDING_FINISHED']) hear(record, status);
    expect(record.heard).toEqual(['EXPIRED', 'ONBOARDING_FINISHED']);
    expect(record.onboardingStatus).toBe('ONBOARDING_FINISHED');
  });

  it('does not fill the memory with noise', () => {
    const record = fresh();
    for (let n = 1; n <= 60; n += 1) hear(record, `NOISE_${n}`);
    expect([record.heard.length, record.heard[0], record.heard[49]]).toEqual([50, 'NOISE_11', 'NOISE_60']);
  });
});
