import { describe, expect, it } from 'vitest';
import {
  AnswerPendingError,
  SessionCompletedError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalConfigurationError,
  TemporalUnavailableError,
  WrongStageError,
} from '../../src/client/index.js';
import type { OnboardingResult } from '../../src/contract/index.js';

const WHERE = { address: 'temporal.example:7233', namespace: 'kyc' };
const result = { interviewId: 'i-1', outcome: 'approved' } as OnboardingResult;

describe('an error', () => {
  it.each<[Error, string, string]>([
    [new SessionCompletedError(result), 'SessionCompletedError', 'Session i-1 was completed before: approved.'],
    [new SessionNotFoundError('i-1'), 'SessionNotFoundError', 'Session i-1: no onboarding is known'],
    [new SessionFailedError('i-1', 'X', 'it ended'), 'SessionFailedError', 'Session i-1: it ended'],
    [new SessionFailedError('i-1', 'X', 'Session i-1: it ended'), 'SessionFailedError', 'Session i-1: it ended'],
    [new WrongStageError('i-1', 'Session i-1 is done'), 'WrongStageError', 'Session i-1 is done'],
    [new AnswerPendingError('i-1', 2_500), 'AnswerPendingError', 'Session i-1: no answer within 2.5 s.'],
    [new TemporalConfigurationError(new Error('no TOML')), 'TemporalConfigurationError', 'is wrong: no TOML'],
  ])('%s says what it is about', (error, name, message) => {
    expect(error.name).toBe(name);
    expect(error.message).toContain(message);
  });

  it.each([
    ['away', true, 'temporal.example:7233 does not answer'],
    ['refused', false, 'refuses the credentials for namespace kyc'],
    ['unknownNamespace', false, 'temporal operator namespace create --namespace kyc'],
  ] as const)('of Temporal, %s, says whether asking again helps: %s', (problem, retryable, message) => {
    const error = new TemporalUnavailableError(problem, WHERE, 'why');
    expect(error).toMatchObject({ problem, retryable, cause: 'why', ...WHERE });
    expect(error.message).toContain(message);
  });
});
