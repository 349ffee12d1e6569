import { describe, expect, it } from 'vitest';
import {
  CAPTURE_CODES,
  imageCode,
  isAlreadyProcessed,
  mayHaveTakenEffect,
} from '../../../src/incode/capture/refusals.js';
import { classify } from '../../../src/incode/classification.js';
import { IncodeError, type IncodeErrorKind } from '../../../src/incode/index.js';

const answered = (kind: IncodeErrorKind, code: number | string | undefined) => ({
  kind,
  code,
  httpStatus: 400,
  message: null,
});

describe('imageCode', () => {
  it.each([...Object.values(CAPTURE_CODES), 1_001, 1_003, 3_002, 3_004, 3_005, 4_010, 4_077])(
    'reads %i as a refused image with every HTTP status',
    (code) => {
      for (const kind of ['badRequest', 'tokenRefused', 'resultUnknown', 'unknownSession'] as const) {
        expect(imageCode(answered(kind, code))).toBe(code);
      }
    },
  );

  it('reads an unknown code as a refused image if Incode refuses the request', () => {
    expect(imageCode(answered('badRequest', 4_999))).toBe(4_999);
    expect(imageCode(answered('badRequest', '4999'))).toBe(4_999);
    expect(imageCode(answered('resultUnknown', 4_999))).toBeUndefined();
  });

  it.each([undefined, 'SESSION_GONE', 999, 422])('reads the code %s as no refused image', (code) => {
    expect(imageCode(answered('badRequest', code))).toBeUndefined();
  });

  it.each(['notTaken', 'misconfigured'] as const)('reads no code of a request that ended as %s', (kind) => {
    expect(imageCode(answered(kind, 4_019))).toBeUndefined();
  });
});

describe('isAlreadyProcessed', () => {
  it.each([
    ['Id already processed', true],
    ['400: id ALREADY processed.', true],
    ['NumberFormatException: Cannot parse null string', true],
    ['front has not been added', false],
    [null, false],
  ])('isAlreadyProcessed of the message %j is %s', (message, expected) => {
    expect(isAlreadyProcessed({ message })).toBe(expected);
  });
});

describe('mayHaveTakenEffect', () => {
  const ofStatus = (httpStatus: number) => {
    const kind =
      classify({ ended: 'answered', status: httpStatus, retryAfter: undefined, body: '' }) ?? 'resultUnknown';
    return new IncodeError({ kind, operation: 'start', what: 'answered', httpStatus });
  };
  const unanswered = (kind: IncodeErrorKind) => new IncodeError({ kind, operation: 'start', what: 'ended' });

  it.each([301, 302, 307, 308, 400, 401, 403, 404, 405, 406, 407, 409, 413, 422, 425, 429])(
    'is false if Incode answered %i',
    (status) => {
      expect(mayHaveTakenEffect(ofStatus(status))).toBe(false);
    },
  );

  it.each([200, 201, 204, 303, 304, 408, 499, 500, 502, 503, 504, 599])('is true if Incode answered %i', (status) => {
    expect(mayHaveTakenEffect(ofStatus(status))).toBe(true);
  });

  it.each(['notTaken', 'misconfigured', 'tokenRefused', 'apiKeyRefused'] as const)(
    'is false if nothing was sent: %s',
    (kind) => {
      expect(mayHaveTakenEffect(unanswered(kind))).toBe(false);
    },
  );

  it.each(['resultUnknown', 'maybeRunning'] as const)('is true if the request ended without an answer: %s', (kind) => {
    expect(mayHaveTakenEffect(unanswered(kind))).toBe(true);
  });

  it('is true for an error that is not from the client', () => {
    expect(mayHaveTakenEffect(new Error('unknown'))).toBe(true);
  });
});
