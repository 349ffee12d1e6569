import { describe, expect, it } from 'vitest';
import { classify } from '../../src/incode/classification.js';
import type { Interrupted } from '../../src/incode/exchange.js';

const answered = (status: number) => ({ ended: 'answered', status, retryAfter: undefined, body: '' }) as const;
const interrupted = (given: Partial<Interrupted>): Interrupted => ({
  ended: 'interrupted',
  phase: 'sent',
  reason: 'connection',
  code: undefined,
  proxyStatus: undefined,
  status: undefined,
  retryAfter: undefined,
  ...given,
});

describe('classify: an answer', () => {
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
  ])('%i is %s', (status, kind) => {
    expect(classify(answered(status))).toBe(kind);
  });
});

describe('classify: an interruption', () => {
  it.each([
    ['nothing was sent', { phase: 'unsent', code: 'ECONNREFUSED' }, 'notTaken'],
    ['cancelled before it was sent', { phase: 'unsent', reason: 'cancelled' }, 'notTaken'],
    ['no free connection in time', { phase: 'unsent', reason: 'timeout' }, 'notTaken'],
    ['the proxy wants credentials', { phase: 'unsent', proxyStatus: 407 }, 'misconfigured'],
    ['the proxy forbids the host', { phase: 'unsent', proxyStatus: 403 }, 'misconfigured'],
    ['the proxy cannot reach the host', { phase: 'unsent', proxyStatus: 502 }, 'notTaken'],
    ['reset after sending', { phase: 'sent', code: 'ECONNRESET' }, 'maybeRunning'],
    ['a time-out after sending', { phase: 'sent', reason: 'timeout' }, 'maybeRunning'],
    ['cancelled after sending', { phase: 'sent', reason: 'cancelled' }, 'maybeRunning'],
    ['a success without its body', { phase: 'answering', status: 200 }, 'resultUnknown'],
    ['a success that is too large', { phase: 'answering', status: 200, reason: 'tooLarge' }, 'resultUnknown'],
    ['a refusal without its body', { phase: 'answering', status: 400 }, 'badRequest'],
    ['a gateway error without its body', { phase: 'answering', status: 502 }, 'maybeRunning'],
  ] as [string, Partial<Interrupted>, string][])('%s', (_, given, kind) => {
    expect(classify(interrupted(given))).toBe(kind);
  });
});
