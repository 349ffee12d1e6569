import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  addEvent,
  applyStatus,
  applyWebhookStatus,
  carriedRecord,
  keepHint,
  newRecord,
  saysMore,
} from '../../src/workflows/record.js';

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
    expect(carriedRecord(record)).toEqual(record);
  });

  it('of an older version has no hints yet', () => {
    info.continuedFromExecutionRunId = 'the-run-before';
    const { hints, contradictions, byWebhook, ...older } = fresh();
    expect(carriedRecord(older)).toEqual({ ...older, hints, contradictions, byWebhook });
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
  for (let n = 1; n <= 100; n += 1) addEvent(record, `event ${n}`, new Date(n));
  expect(record.timeline).toHaveLength(51);
  expect([events(record)[0], events(record)[1], events(record)[50]]).toEqual(['Started', 'event 51', 'event 100']);
  expect(record.timeline[50]?.at).toBe(new Date(100).toISOString());
});

describe('what Incode says of a session', () => {
  it('is noted where it says something new, whichever way it comes', () => {
    const record = fresh();
    applyStatus(record, null, 'answer');
    applyStatus(record, 'POST_PROCESSING_FINISHED', 'answer');
    applyStatus(record, 'POST_PROCESSING_FINISHED', 'webhook');
    // It comes late.
    applyStatus(record, 'ID_VALIDATION_FINISHED', 'webhook');
    applyStatus(record, 'ONBOARDING_FINISHED', 'webhook');
    expect(record.onboardingStatus).toBe('ONBOARDING_FINISHED');
    expect(events(record).slice(2)).toEqual([
      "Incode's status: POST_PROCESSING_FINISHED (answer)",
      "Incode's status: ONBOARDING_FINISHED (webhook)",
    ]);
  });

  it('is known from a webhook alone until Incode answers it', () => {
    const record = fresh();
    applyStatus(record, 'ONBOARDING_FINISHED', 'webhook');
    expect(record.byWebhook).toBe(true);
    // It says less.
    applyStatus(record, 'POST_PROCESSING_FINISHED', 'answer');
    expect(record.byWebhook).toBe(true);
    applyStatus(record, 'ONBOARDING_FINISHED', 'answer');
    expect(record.byWebhook).toBe(false);
  });
});

describe('a webhook', () => {
  it('is noted once for each status, although webhooks come again, and changes nothing else', () => {
    const record = fresh();
    const all = ['EXPIRED', 'ONBOARDING_FINISHED', 'EXPIRED', 'ONBOARDING_FINISHED'];
    expect(all.map((status) => applyWebhookStatus(record, status))).toEqual([true, true, false, false]);
    expect(events(record).slice(2)).toEqual(['Webhook: EXPIRED', 'Webhook: ONBOARDING_FINISHED']);
    expect(record.onboardingStatus).toBeNull();
  });

  it.each([
    [null, 'UNKNOWN', false],
    [null, 'BRAND_NEW', false],
    [null, 'POST_PROCESSING_FINISHED', true],
    ['ONBOARDING_FINISHED', 'POST_PROCESSING_FINISHED', false],
    ['ONBOARDING_FINISHED', 'EXPIRED', false],
    ['ONBOARDING_FINISHED', 'ONBOARDING_FINISHED', false],
    ['ONBOARDING_FINISHED', 'MANUAL_REVIEW_REJECTED', true],
    ['MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED', true],
    ['MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_APPROVED', false],
  ])('says more than %s if it is %s: %s', (known, status, expected) => {
    const record = fresh();
    applyStatus(record, known, 'answer');
    expect(saysMore(record, status)).toBe(expected);
  });

  it('is kept as one hint of its kind, the latest one', () => {
    const record = fresh();
    const kinds = ['EXPIRED', 'MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED', 'MANUAL_REVIEW_A', 'MANUAL_REVIEW_B'];
    for (const status of kinds) keepHint(record, status);
    expect(record.hints).toEqual(['EXPIRED', 'MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED', 'MANUAL_REVIEW_B']);
  });

  it('is no hint any more once Incode has answered as much', () => {
    const record = fresh();
    for (const status of ['EXPIRED', 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED']) keepHint(record, status);
    applyStatus(record, 'ONBOARDING_FINISHED', 'answer');
    expect(record.hints).toEqual(['MANUAL_REVIEW_APPROVED']);
  });

  it('is passed over after ten contradictions', () => {
    const record = { ...fresh(), contradictions: 9 };
    keepHint(record, 'EXPIRED');
    record.contradictions += 1;
    keepHint(record, 'MANUAL_REVIEW_APPROVED');
    expect(record.hints).toEqual(['EXPIRED']);
  });

  it('does not fill the memory with noise', () => {
    const record = fresh();
    for (let n = 1; n <= 60; n += 1) applyWebhookStatus(record, `NOISE_${n}`);
    expect([record.heard.length, record.heard[0], record.heard[49]]).toEqual([50, 'NOISE_11', 'NOISE_60']);
  });
});
