import { describe, expect, it } from 'vitest';
import { adviceFor } from '../../src/console/advice.js';
import { STAGES, type Stage } from '../../src/contract/index.js';
import type { SessionView } from '../../src/gateway/types.js';

const call = { activity: 'finishStatus', attempt: 2, nextAttemptAt: null, paused: false, lastFailure: null };

function running(stage: Stage, waitingFor: string | null = null): SessionView {
  const state = {
    ...{ interviewId: 'one', stage, waitingFor, deadline: null, finish: null, score: null, outcome: null },
    ...{ onboardingStatus: null, timeline: [] },
  };
  const ids = { interviewId: 'one', workflowId: 'w', runId: 'r', startedAt: '2026-11-30T12:00:00Z', closedAt: null };
  return { ...ids, status: 'running', state, result: null, failure: null, call: null };
}

describe('adviceFor', () => {
  it.each(STAGES)('has something to say in %s', (stage) => {
    expect(adviceFor(running(stage)).what).not.toBe('');
  });

  it('says that somebody has to act in exactly the stages that wait for a person', () => {
    expect(STAGES.filter((stage) => adviceFor(running(stage)).isUrgent)).toEqual(['needsToken', 'inReview']);
  });

  it('repeats what the workflow says that it waits for', () => {
    expect(adviceFor(running('waiting', 'someone to finish it')).what).toBe('It waits for someone to finish it.');
  });

  it.each([
    ['IncodeApiKeyRefused', 'INCODE_API_KEY'],
    ['IncodeMisconfigured', 'INCODE_BASE_URL'],
    ['IncodeTokenSourceFailed', 'token source'],
  ])('sends those who see %s to the operator', (type, text) => {
    const found = adviceFor({ ...running('finishing'), call: { ...call, lastFailure: { type, message: 'refused' } } });
    expect(found).toMatchObject({ isUrgent: true, next: expect.stringContaining(text) });
  });

  it('asks nobody to act while a call is repeated that ends well by itself', () => {
    const lastFailure = { type: 'IncodeNotTaken', message: '503' };
    expect(adviceFor({ ...running('finishing'), call: { ...call, lastFailure } }).isUrgent).toBe(false);
  });

  it('says that an operator has paused the call', () => {
    expect(adviceFor({ ...running('finishing'), call: { ...call, paused: true } }).what).toContain('paused');
  });

  it('says that no worker answers', () => {
    expect(adviceFor({ ...running('finishing'), state: null }).what).toContain('No worker answered');
  });

  it('gives the reason of a result', () => {
    const result = {
      outcome: 'approved',
      ...{ interviewId: 'one', finish: null, score: null, closed: null, onboardingStatus: null },
      reason: 'the score is OK',
    } as const;
    const found = adviceFor({ ...running('done'), status: 'completed', result });
    expect(found).toEqual({ isUrgent: false, what: 'the score is OK', next: 'Continue the onboarding.' });
    const newer = { ...result, outcome: 'postponed' } as unknown as typeof result;
    expect(adviceFor({ ...running('done'), status: 'completed', result: newer }).next).toBe(null);
  });

  it('gives the failure of an onboarding without a result', () => {
    const failure = { type: 'IncodeUnknownSession', message: 'Incode does not know it' };
    const failed = adviceFor({ ...running('done'), status: 'failed', failure });
    expect(failed).toMatchObject({ isUrgent: true, what: 'Incode does not know it' });
    expect(adviceFor({ ...running('done'), status: 'cancelled', failure }).isUrgent).toBe(false);
    expect(adviceFor({ ...running('done'), status: 'unknown' }).what).toContain('without an outcome');
  });
});
