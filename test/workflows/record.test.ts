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

/** The run that executes the workflow. */
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

describe('newRecord', () => {
  it('has no deadline for a session that is finished at once', () => {
    const record = fresh();
    expect(record).toMatchObject({ stage: 'finishing', deadline: null, token: null });
    expect(record.timeline).toEqual([
      { at: STARTED.toISOString(), event: 'Started' },
      { at: NOW.toISOString(), event: 'Stage: finishing' },
    ]);
  });

  it.each(['asked', 'processed'] as const)('has the capture deadline for finishWhen: %s', (finishWhen) => {
    const record = newRecord({ interviewId: 'i', sessionToken: 't' }, { finishWhen, captureDeadlineMs: 5_000 });
    expect(record).toMatchObject({ stage: 'waiting', deadline: NOW.getTime() + 5_000, token: 't' });
  });

  it('returns plain JSON', () => {
    const record = fresh();
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });
});

describe('carriedRecord', () => {
  it('returns the record in a run that continued as new', () => {
    info.continuedFromExecutionRunId = 'the-run-before';
    const record = fresh();
    expect(carriedRecord(record)).toEqual(record);
  });

  it('completes the record of an older version', () => {
    info.continuedFromExecutionRunId = 'the-run-before';
    const { hints, contradictions, byWebhook, ...older } = fresh();
    expect(carriedRecord(older)).toEqual({ ...older, hints, contradictions, byWebhook });
  });

  it.each([undefined, null, {}, 'text', { timeline: [] }, { heard: [] }, { timeline: {}, heard: [] }])(
    'is undefined for %j',
    (carried) => {
      info.continuedFromExecutionRunId = 'the-run-before';
      expect(carriedRecord(carried)).toBeUndefined();
    },
  );

  it('is undefined in a first run, where a caller passed the argument', () => {
    expect(carriedRecord(fresh())).toBeUndefined();
  });
});

it('addEvent keeps the first event and the latest 50', () => {
  const record = fresh();
  for (let n = 1; n <= 100; n += 1) addEvent(record, `event ${n}`, new Date(n));
  expect(record.timeline).toHaveLength(51);
  expect([events(record)[0], events(record)[1], events(record)[50]]).toEqual(['Started', 'event 51', 'event 100']);
  expect(record.timeline[50]?.at).toBe(new Date(100).toISOString());
});

describe('applyStatus', () => {
  it('adds an event for each later status from answers and webhooks', () => {
    const record = fresh();
    applyStatus(record, null, 'answer');
    applyStatus(record, 'POST_PROCESSING_FINISHED', 'answer');
    applyStatus(record, 'POST_PROCESSING_FINISHED', 'webhook');
    // An earlier status that arrives late.
    applyStatus(record, 'ID_VALIDATION_FINISHED', 'webhook');
    applyStatus(record, 'ONBOARDING_FINISHED', 'webhook');
    expect(record.onboardingStatus).toBe('ONBOARDING_FINISHED');
    expect(events(record).slice(2)).toEqual([
      "Incode's status: POST_PROCESSING_FINISHED (answer)",
      "Incode's status: ONBOARDING_FINISHED (webhook)",
    ]);
  });

  it('sets byWebhook until Incode answers the same status', () => {
    const record = fresh();
    applyStatus(record, 'ONBOARDING_FINISHED', 'webhook');
    expect(record.byWebhook).toBe(true);
    // An earlier status confirms nothing.
    applyStatus(record, 'POST_PROCESSING_FINISHED', 'answer');
    expect(record.byWebhook).toBe(true);
    applyStatus(record, 'ONBOARDING_FINISHED', 'answer');
    expect(record.byWebhook).toBe(false);
  });
});

describe('a webhook', () => {
  it('adds one event for each status and does not change the status', () => {
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
  ])('after status %s says more with %s: %s', (known, status, expected) => {
    const record = fresh();
    applyStatus(record, known, 'answer');
    expect(saysMore(record, status)).toBe(expected);
  });

  it('replaces an earlier hint of the same kind', () => {
    const record = fresh();
    const kinds = ['EXPIRED', 'MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED', 'MANUAL_REVIEW_A', 'MANUAL_REVIEW_B'];
    for (const status of kinds) keepHint(record, status);
    expect(record.hints).toEqual(['EXPIRED', 'MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED', 'MANUAL_REVIEW_B']);
  });

  it('is no hint any more once Incode has answered the same or a later status', () => {
    const record = fresh();
    for (const status of ['EXPIRED', 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED']) keepHint(record, status);
    applyStatus(record, 'ONBOARDING_FINISHED', 'answer');
    expect(record.hints).toEqual(['MANUAL_REVIEW_APPROVED']);
  });

  it('ignores a webhook after ten contradictions', () => {
    const record = { ...fresh(), contradictions: 9 };
    keepHint(record, 'EXPIRED');
    record.contradictions += 1;
    keepHint(record, 'MANUAL_REVIEW_APPROVED');
    expect(record.hints).toEqual(['EXPIRED']);
  });

  it('is remembered only among the latest 50 statuses', () => {
    const record = fresh();
    for (let n = 1; n <= 60; n += 1) applyWebhookStatus(record, `NOISE_${n}`);
    expect([record.heard.length, record.heard[0], record.heard[49]]).toEqual([50, 'NOISE_11', 'NOISE_60']);
  });
});
