import { describe, expect, it } from 'vitest';
import { classify } from '../../src/incode/classification.js';
import type { Interrupted } from '../../src/incode/exchange.js';

const answered = (status: number) => ({ ended: 'answered', status, retryAfter: undefined, body: '' }) as const;
const interrupted = (facts: Partial<Interrupted>): Interrupted => ({
  ended: 'interrupted',
  phase: 'sent',
  reason: 'connection',
  code: undefined,
  proxyStatus: undefined,
  status: undefined,
  retryAfter: undefined,
  ...facts,
});

describe('classify(an answer)', () => {
  it.each([
    [200, undefined],
    [201, undefined],
    [204, 'resultUnknown'],
    [205, 'resultUnknown'],
    [199, 'maybeRunning'],
    [299, undefined],
    [300, 'misconfigured'],
    [301, 'misconfigured'],
    [302, 'misconfigured'],
    [304, 'misconfigured'],
    [307, 'misconfigured'],
    [400, 'badRequest'],
    [401, 'tokenRefused'],
    [402, 'badRequest'],
    [403, 'apiKeyRefused'],
    [404, 'unknownSession'],
    [405, 'methodNotAllowed'],
    [406, 'notAcceptable'],
    [407, 'misconfigured'],
    [408, 'notTaken'],
    [409, 'badRequest'],
    [413, 'badRequest'],
    [422, 'badRequest'],
    [425, 'notTaken'],
    [429, 'notTaken'],
    [451, 'badRequest'],
    [499, 'badRequest'],
    [500, 'resultUnknown'],
    [501, 'maybeRunning'],
    [502, 'maybeRunning'],
    [503, 'notTaken'],
    [504, 'maybeRunning'],
    [520, 'maybeRunning'],
    [599, 'maybeRunning'],
    [600, 'maybeRunning'],
  ])('maps status %i to %s', (status, kind) => {
    expect(classify(answered(status))).toBe(kind);
  });
});

describe('classify(an interruption)', () => {
  it.each([
    ['a request that was not sent', { phase: 'unsent', code: 'ECONNREFUSED' }, 'notTaken'],
    ['a request that was cancelled before it was sent', { phase: 'unsent', reason: 'cancelled' }, 'notTaken'],
    ['a timeout while waiting for a connection', { phase: 'unsent', reason: 'timeout' }, 'notTaken'],
    ['a proxy that wants credentials', { phase: 'unsent', proxyStatus: 407 }, 'misconfigured'],
    ['a proxy that forbids the host', { phase: 'unsent', proxyStatus: 403 }, 'misconfigured'],
    ['a proxy that cannot reach the host', { phase: 'unsent', proxyStatus: 502 }, 'notTaken'],
    ['a connection reset after sending', { phase: 'sent', code: 'ECONNRESET' }, 'maybeRunning'],
    ['a timeout after sending', { phase: 'sent', reason: 'timeout' }, 'maybeRunning'],
    ['a request that was cancelled after sending', { phase: 'sent', reason: 'cancelled' }, 'maybeRunning'],
    ['a success without its body', { phase: 'answering', status: 200 }, 'resultUnknown'],
    ['a success that is too large', { phase: 'answering', status: 200, reason: 'tooLarge' }, 'resultUnknown'],
    ['a refusal without its body', { phase: 'answering', status: 400 }, 'badRequest'],
    ['a gateway error without its body', { phase: 'answering', status: 502 }, 'maybeRunning'],
  ] as [string, Partial<Interrupted>, string][])('maps %s, %j, to %s', (_, facts, kind) => {
    expect(classify(interrupted(facts))).toBe(kind);
  });
});
