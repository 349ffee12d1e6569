import { describe, expect, it } from 'vitest';
import {
  errorCode,
  readCloseSession,
  readFinishStatus,
  readLogIn,
  readObject,
  readOnboardingStatus,
  readScore,
  readStart,
} from '../../src/incode/responses.js';

describe('readObject', () => {
  it.each(['', '[]', 'null', '"x"', '1', 'true', '{', '<html>'])(
    'refuses the body %j, which is not an object',
    (body) => {
      expect(readObject(body)).toBeUndefined();
    },
  );

  it.each([
    '{"success": false}',
    '{"success": false, "failReason": "SESSION_NOT_READY"}',
    '{"failReason": "UNKNOWN_DOCUMENT_TYPE", "action": "none"}',
    '{"timestamp": 1, "status": 4019, "error": "Unauthorized", "message": "m", "path": "/"}',
    '{"error": "Bad Gateway"}',
    '{"timestamp": "2026-01-01", "status": 500}',
    '{"status": 500, "message": "m"}',
    '{"status": 500, "path": "/omni"}',
  ])('refuses an error body: %s', (body) => {
    expect(readObject(body)).toBeUndefined();
  });

  it('accepts any other object, including an empty one', () => {
    expect(readObject('{}')).toEqual({});
    expect(readObject('\uFEFF{"success": true, "failReason": null}')).toEqual({ success: true, failReason: null });
    expect(readObject('{"status": "OK", "path": null}')).toEqual({ status: 'OK', path: null });
    expect(readObject('{"action": "none", "error": null}')).toEqual({ action: 'none', error: null });
  });
});

describe('errorCode', () => {
  it.each([
    ['{"status": 4019}', 4019],
    ['{"status": 401}', undefined],
    ['{"status": "401"}', undefined],
    ['{"status": "SESSION_GONE"}', 'SESSION_GONE'],
    ['{"status": "a sentence about Jane Doe"}', undefined],
    ['{"status": 1.5}', undefined],
    ['<html>', undefined],
    ['null', undefined],
  ])('reads the code of %s as %s', (body, code) => {
    expect(errorCode(body, 401)).toBe(code);
  });
});

describe('readers of answers', () => {
  it('readFinishStatus keeps unknown actions and refuses an answer without an action', () => {
    expect(readFinishStatus({ action: 'brandNew', redirectionUrl: '', extra: 1 })).toEqual({
      action: 'brandNew',
      redirectionUrl: null,
      scoreStatus: null,
    });
    for (const answer of [{}, { action: 5 }, { redirectionUrl: 'https://example.com' }]) {
      expect(readFinishStatus(answer)).toBeUndefined();
    }
  });

  it('readOnboardingStatus corrects the misspelling in the documentation', () => {
    expect(readOnboardingStatus({ onboardingStatus: 'ONBOADING_FINISHED' })).toEqual({
      onboardingStatus: 'ONBOARDING_FINISHED',
    });
    expect(readOnboardingStatus({ onboardingStatus: 'BRAND_NEW' })).toEqual({ onboardingStatus: 'BRAND_NEW' });
    expect(readOnboardingStatus({})).toBeUndefined();
  });

  it('readScore accepts missing parts and turns numbers into strings', () => {
    expect(readScore({ overall: { status: 'OK', value: '94.6' } })).toEqual({ status: 'OK', value: '94.6' });
    expect(readScore({ overall: { value: 94.6 } })).toEqual({ status: null, value: '94.6' });
    expect(readScore({ overall: null })).toEqual({ status: null, value: null });
    expect(readScore({})).toEqual({ status: null, value: null });
  });

  it('readCloseSession refuses an answer that does not say closed', () => {
    expect(readCloseSession({ sessionStatus: 'Closed' })).toEqual({ sessionStatus: 'Closed' });
    expect(readCloseSession({ sessionStatus: 'CLOSED' })).toEqual({ sessionStatus: 'CLOSED' });
    for (const answer of [{}, { sessionStatus: 'Alive' }]) expect(readCloseSession(answer)).toBeUndefined();
  });

  it('readLogIn needs a token that fits in a header', () => {
    expect(readLogIn({ token: 't', other: 1 })).toEqual({ token: 't' });
    for (const answer of [{}, { token: '' }, { token: 5 }, { token: 'a\nb' }])
      expect(readLogIn(answer)).toBeUndefined();
  });

  it('readStart needs a token and an interview id', () => {
    const answer = { token: 't', interviewId: 'i', existingSession: true };
    expect(readStart({ ...answer, env: 'demo' })).toEqual(answer);
    expect(readStart({ token: 't', interviewId: 'i' })).toEqual({ ...answer, existingSession: false });
    expect(readStart({ token: 't' })).toBeUndefined();
    expect(readStart({ interviewId: 'i' })).toBeUndefined();
  });
});
