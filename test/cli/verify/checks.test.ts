import { describe, expect, it } from 'vitest';
import { type Result, resultOf } from '../../../src/cli/verify/check.js';
import { CHECKS } from '../../../src/cli/verify/checks/index.js';
import { checkEnvironment, kindOf } from '../../../src/cli/verify/environment.js';
import type { Observations } from '../../../src/cli/verify/observations.js';
import {
  isFinishedStatus,
  isScoreReady,
  isSuccess,
  quoted,
  type Reply,
  replyOf,
  statusOf,
} from '../../../src/cli/verify/reply.js';
import { wrappedTable } from '../../../src/cli/verify/wrapped-table.js';

const SETTINGS = { settleTimeMs: 30_000, refusesForeignIds: false, hasExecutive: false };

function reply(status: number, body: unknown = {}, retryAfter?: string): Reply {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return replyOf({ ended: 'answered', status, body: text, retryAfter, date: undefined }, 5);
}

function judged(id: string, seen: Partial<Observations>): Result {
  const check = CHECKS.find((one) => one.id === id);
  if (!check) throw new Error(`There is no check ${id}`);
  return resultOf(check, seen, SETTINGS, (missing) => `${missing} is missing`);
}

const ERROR = { timestamp: 1, status: 400, error: 'Bad Request' };
const OK = reply(200, { onboardingStatus: 'UNKNOWN' });
const APPROVED = reply(200, { action: 'approved' });
const DELIVERY = { ms: 1_200, understood: true, onboardingStatus: 'ONBOARDING_FINISHED' };
const token = { isJwt: true, expires: true, names: 'this session' } as const;
const reissue = { reply: reply(200, { existingSession: true }), isSameSession: true, newToken: OK, earlierToken: OK };
const refusals = { badParameter: reply(400, ERROR), wrongToken: reply(401, ERROR), wrongKey: reply(403, ERROR) };
const foreign = { own: 'UNKNOWN', other: 'ONBOARDING_FINISHED' };
const unnamed = { ...token, names: 'no session' } as const;
const FOREIGN_REFUSED = { ...foreign, reply: reply(404, ERROR), told: undefined };
const SAME_SCORES = { reply: OK, own: 'OK', other: 'OK', told: 'OK' };
const getWithoutHeader = {
  'x-api-key': reply(403, ERROR),
  'x-incode-hardware-id': reply(401, ERROR),
  'api-version': OK,
  'content-type': OK,
};

const CASES: [id: string, seen: Partial<Observations>, verdict: Result['verdict'], told: string | RegExp][] = [
  ['token-form', { token }, 'as assumed', 'JWT with exp'],
  ['token-form', { token: { ...token, expires: false } }, 'differs, safe', 'JWT without exp'],
  ['token-form', { token: { ...token, isJwt: false } }, 'differs, safe', 'no JWT'],
  ['token-names-session', { token }, 'as assumed', /names the session/],
  ['token-names-session', { token: unnamed }, 'differs, configure', 'no such claim'],
  ['token-names-session', { token: unnamed, foreignStatus: FOREIGN_REFUSED }, 'differs, safe', 'no such claim'],
  [
    'token-names-session',
    { token: unnamed, foreignStatus: { ...foreign, reply: OK, told: foreign.own } },
    'differs, configure',
    'no such claim',
  ],
  ['token-names-session', { token: { ...token, names: 'another session' } }, 'unsafe', /another value/],
  ['reissue', { reissue }, 'as assumed', /existingSession true/],
  ['reissue', { reissue: { ...reissue, reply: reply(200, {}) } }, 'differs, safe', /not true/],
  ['reissue', { reissue: { ...reissue, isSameSession: false } }, 'differs, configure', 'a new session'],
  ['reissue', { reissue: { ...reissue, reply: reply(400, ERROR) } }, 'differs, configure', '400'],
  ['reissue', { reissue: { ...reissue, newToken: reply(401, ERROR) } }, 'differs, configure', /its token: 401/],
  ['reissue', { reissue: { ...reissue, newToken: undefined } }, 'differs, configure', /its token: none/],
  ['earlier-token', { reissue }, 'as assumed', 'valid'],
  ['earlier-token', { reissue: { ...reissue, earlierToken: reply(401, ERROR) } }, 'differs, safe', 'refused, 401'],
  ['earlier-token', { reissue: { ...reissue, earlierToken: undefined } }, 'could not be tried', 'no fresh token'],
  ['unknown-start', { unknownStart: reply(404, ERROR) }, 'as assumed', 'refused, 404'],
  ['unknown-start', { unknownStart: reply(200, { interviewId: 'a' }) }, 'differs, safe', 'a new session'],

  ['status-by-id', { statusById: OK }, 'as assumed', 'UNKNOWN'],
  ['status-by-id', { statusById: reply(200, {}) }, 'unsafe', '200 without a status'],
  ['status-values', { statuses: ['UNKNOWN', 'EXPIRED'] }, 'as assumed', 'UNKNOWN, EXPIRED'],
  ['status-values', { statuses: ['unknown', 'EXPIRED '] }, 'differs, safe', 'unknown, "EXPIRED "'],
  ['status-values', { statuses: ['UNKNOWN', 'NOVELTY'] }, 'differs, safe', 'NOVELTY'],
  ['status-without-id', { statusWithoutId: OK }, 'as assumed', 'answered'],
  ['status-without-id', { statusWithoutId: reply(400, ERROR) }, 'differs, safe', 'refused, 400'],
  ['foreign-status', { foreignStatus: FOREIGN_REFUSED }, 'as assumed', '404'],
  [
    'foreign-status',
    { foreignStatus: { ...foreign, reply: reply(503, ERROR), told: undefined } },
    'differs, configure',
    'refused, 503',
  ],
  [
    'foreign-status',
    { foreignStatus: { ...foreign, reply: reply(400, ERROR), told: undefined } },
    'differs, safe',
    '400',
  ],
  ['foreign-status', { foreignStatus: { ...foreign, reply: OK, told: foreign.own } }, 'differs, configure', /token/],
  ['foreign-status', { foreignStatus: { ...foreign, reply: OK, told: foreign.other } }, 'unsafe', /other session/],
  ['foreign-score', { foreignScore: SAME_SCORES }, 'differs, configure', /same/],
  ['foreign-score', { foreignScore: SAME_SCORES, foreignStatus: FOREIGN_REFUSED }, 'differs, safe', /same/],
  ['foreign-score', { foreignScore: FOREIGN_REFUSED }, 'as assumed', 'refused, 404'],
  ['foreign-score', { foreignScore: { ...FOREIGN_REFUSED, reply: reply(400, ERROR) } }, 'differs, safe', '400'],
  ['unknown-id', { statusOfUnknownId: reply(403, ERROR) }, 'as assumed', 'refused, 403'],
  ['unknown-id', { statusOfUnknownId: OK }, 'differs, configure', 'answered'],
  ['unknown-id', { statusOfUnknownId: reply(400, ERROR) }, 'differs, safe', 'refused, 400'],
  ['unknown-id', { statusOfUnknownId: reply(500, ERROR) }, 'differs, configure', 'refused, 500'],
  ['executive-read', { executiveRead: OK }, 'as assumed', 'answered'],
  ['executive-read', { executiveRead: reply(401, ERROR) }, 'differs, configure', 'refused, 401'],
  ['executive-score', { executiveScore: OK }, 'as assumed', 'answered'],
  ['executive-score', { executiveScore: reply(403, ERROR) }, 'differs, configure', 'refused, 403'],

  ['header-x-api-key', { getWithoutHeader }, 'as assumed', 'refused, 403'],
  ['header-content-type', { getWithoutHeader }, 'differs, safe', 'answered'],
  ['post-header-x-api-key', { postWithoutHeader: getWithoutHeader }, 'as assumed', 'refused, 403'],
  ['post-header-content-type', { postWithoutHeader: getWithoutHeader }, 'differs, safe', 'answered'],
  ['wrong-api-key', { wrongKey: reply(403, ERROR) }, 'as assumed', '403'],
  ['wrong-api-key', { wrongKey: reply(401, ERROR) }, 'differs, safe', '401'],
  ['wrong-api-key', { wrongKey: reply(302, '') }, 'differs, safe', '302'],
  ['wrong-api-key', { wrongKey: reply(404, ERROR) }, 'unsafe', '404'],
  ['wrong-api-key', { wrongKey: OK }, 'unsafe', 'answered'],
  ['wrong-token', { wrongToken: reply(401, ERROR) }, 'as assumed', '401'],
  ['wrong-token', { wrongToken: reply(403, ERROR) }, 'differs, safe', '403'],
  ['wrong-token', { wrongToken: reply(400, ERROR) }, 'unsafe', '400'],
  ['error-bodies', { ...refusals, unknownPath: reply(404, ERROR) }, 'as assumed', '400, 401, 403, 404: JSON'],
  ['error-bodies', { ...refusals, unknownPath: reply(404, '<html>') }, 'differs, safe', '404: not JSON'],
  ['error-bodies', { ...refusals, unknownPath: reply(404, {}) }, 'differs, safe', '404: other fields'],
  ['error-bodies', { ...refusals, unknownPath: reply(404, '') }, 'differs, safe', '404: empty'],
  ['error-bodies', { ...refusals, unknownPath: reply(404, '[]') }, 'differs, safe', '404: other JSON'],
  ['date', { hasDate: true }, 'as assumed', 'present'],
  ['date', { hasDate: false }, 'differs, safe', 'absent'],
  ['rate-limit', { rateLimit: { sent: 75, refusal: reply(429, ERROR, '7') } }, 'as assumed', /with Retry-After/],
  [
    'rate-limit',
    { rateLimit: { sent: 75, refusal: reply(429, ERROR, 'soon') } },
    'differs, safe',
    /without Retry-After/,
  ],
  ['rate-limit', { rateLimit: { sent: 200, refusal: undefined } }, 'could not be tried', 'no 429 in 200 reads'],

  ['finish-answer', { finish: APPROVED }, 'as assumed', '200, approved'],
  ['finish-answer', { finish: reply(200, { action: 'maybe later' }) }, 'differs, safe', '200, "maybe later"'],
  ['finish-answer', { finish: reply(200, {}) }, 'differs, safe', '200 without an action'],
  ['finish-answer', { finish: reply(400, ERROR) }, 'could not be tried', 'refused, 400'],
  ['redirection-url', { finish: APPROVED }, 'as assumed', 'none'],
  [
    'redirection-url',
    { finish: reply(200, { redirectionUrl: 'https://a.example/' }) },
    'as assumed',
    '"https:", 18 bytes',
  ],
  [
    'redirection-url',
    { finish: reply(200, { redirectionUrl: 'javascript:1' }) },
    'differs, safe',
    '"javascript:", 12 bytes',
  ],
  ['redirection-url', { finish: reply(200, { redirectionUrl: 'nowhere' }) }, 'differs, safe', '"no URL", 7 bytes'],
  ['redirection-url', { finish: reply(400, ERROR) }, 'could not be tried', 'refused, 400'],
  ['empty-finish', { emptyFinish: APPROVED }, 'as assumed', '200, approved'],
  ['empty-finish', { emptyFinish: reply(400, ERROR) }, 'differs, safe', 'refused, 400'],
  ['status-after-finish', { statusDelay: delay(30_000) }, 'as assumed', 'after 30.0 s'],
  ['status-after-finish', { statusDelay: delay(45_000) }, 'differs, configure', 'after 45.0 s'],
  ['status-after-finish', { statusDelay: never(60_000, 'UNKNOWN') }, 'unsafe', 'UNKNOWN after 60.0 s'],
  ['status-after-finish', { statusDelay: never(60_000, undefined) }, 'unsafe', 'none after 60.0 s'],
  ['status-after-finish', { statusDelay: never(5_000, 'UNKNOWN') }, 'could not be tried', /wait 30.0 s with --wait/],
  ['status-after-finish', { statusDelay: never(5_000, 'NOVELTY') }, 'unsafe', 'NOVELTY after 5.0 s'],
  ['score-after-finish', { scoreDelay: { ...delay(2_500), last: 'WARN' } }, 'as assumed', 'WARN after 2.5 s'],
  ['score-after-finish', { scoreDelay: never(60_000, 'UNKNOWN') }, 'differs, safe', 'UNKNOWN after 60.0 s'],
  ['second-finish', second(APPROVED, 'ONBOARDING_FINISHED'), 'as assumed', '200, approved again'],
  ['second-finish', second(APPROVED, undefined), 'as assumed', '200, approved again'],
  ['second-finish', second(APPROVED, 'POST_PROCESSING_FINISHED'), 'unsafe', '200, then POST_PROCESSING_FINISHED'],
  ['second-finish', second(reply(200, { action: 'none' }), undefined), 'differs, configure', 'approved, then none'],
  ['second-finish', second(reply(409, ERROR), 'ONBOARDING_FINISHED'), 'differs, safe', 'refused, 409'],
  ['close-after-finish', closed(OK, 'ONBOARDING_FINISHED'), 'as assumed', 'closed, ONBOARDING_FINISHED'],
  ['close-after-finish', closed(OK, undefined), 'as assumed', 'closed, none'],
  ['close-after-finish', closed(OK, 'UNKNOWN'), 'differs, configure', 'closed, then UNKNOWN'],
  ['close-after-finish', closed(reply(404, ERROR), undefined), 'differs, configure', 'refused, 404'],
  ['empty-finish', { emptyFinish: reply(502, '') }, 'could not be tried', 'answered 502'],
  ['closed-finish', { closedFinish: reply(500, ERROR), emptyFinish: APPROVED }, 'could not be tried', 'answered 500'],
  ['expired-finish', { expiredFinish: reply(500, ERROR), emptyFinish: APPROVED }, 'could not be tried', 'answered 500'],
  ['closed-finish', { closedFinish: APPROVED, emptyFinish: APPROVED }, 'as assumed', '200, approved'],
  ['closed-finish', { closedFinish: reply(400, ERROR), emptyFinish: APPROVED }, 'differs, safe', 'refused, 400'],
  [
    'closed-finish',
    { closedFinish: reply(400, ERROR), emptyFinish: reply(400, ERROR) },
    'could not be tried',
    /without documents/,
  ],
  ['expired-finish', { expiredFinish: reply(400, ERROR), emptyFinish: APPROVED }, 'as assumed', 'refused, 400'],
  ['expired-finish', { expiredFinish: APPROVED, emptyFinish: APPROVED }, 'differs, safe', '200, approved'],
  [
    'expired-finish',
    { expiredFinish: reply(400, ERROR), emptyFinish: reply(400, ERROR) },
    'could not be tried',
    /without documents/,
  ],
  ['process-id-twice', { processId: { first: OK, second: reply(400, ERROR) } }, 'as assumed', 'refused, 400'],
  ['process-id-twice', { processId: { first: OK, second: OK } }, 'differs, safe', 'accepted'],
  [
    'process-id-twice',
    { processId: { first: reply(400, ERROR), second: OK } },
    'could not be tried',
    /first was refused/,
  ],

  ['webhook-after-finish', webhook([DELIVERY]), 'as assumed', 'after 1.2 s'],
  ['webhook-after-finish', webhook([]), 'differs, configure', 'none in 60 s'],
  ['webhook-after-finish', webhook([], false), 'could not be tried', /does not lead here/],
  ['webhook-fields', webhook([DELIVERY]), 'as assumed', '1 understood'],
  ['webhook-fields', webhook([DELIVERY, { ...DELIVERY, understood: false }]), 'differs, safe', 'not understood'],
  ['webhook-fields', webhook([]), 'could not be tried', 'no delivery'],
  ['webhook-repeated', { secondWebhook: 1 }, 'as assumed', 'sent again'],
  ['webhook-repeated', { secondWebhook: 0 }, 'differs, safe', 'not sent again'],
];

function delay(ms: number) {
  return { ms, waitedMs: ms, last: 'ONBOARDING_FINISHED' };
}

function never(waitedMs: number, last: string | undefined) {
  return { ms: null, waitedMs, last };
}

function second(again: Reply, statusAfter: string | undefined): Partial<Observations> {
  return { secondFinish: { first: APPROVED, second: again, statusAfter } };
}

function closed(answer: Reply, statusAfter: string | undefined): Partial<Observations> {
  return { closeAfterFinish: { reply: answer, statusAfter } };
}

function webhook(deliveries: Observations['webhook']['deliveries'], isReachable = true): Partial<Observations> {
  return { webhook: { isReachable, waitedMs: 60_000, deliveries } };
}

describe('checks', () => {
  it.each(CASES)('%s judges %j as %s', (id, seen, verdict, told) => {
    const result = judged(id, seen);
    expect([result.verdict, result.seen]).toEqual([verdict, expect.stringMatching(told)]);
    // Every verdict that needs action has advice.
    const needsAdvice = !['as assumed', 'could not be tried'].includes(verdict);
    if (needsAdvice) expect(result.advice).toBeDefined();
    else if (id !== 'foreign-status') expect(result.advice).toBeUndefined();
  });

  it.each(CHECKS)('$id could not be tried without its observation, and says why', (check) => {
    const [missing] = check.needs;
    expect(judged(check.id, {})).toMatchObject({ verdict: 'could not be tried', seen: `${missing} is missing` });
  });

  it.each(CHECKS)('$id has a case in this table, and an id that no other check has', (check) => {
    expect(CASES.some(([id]) => id === check.id || (id.includes('header-') && check.id.includes('header-')))).toBe(
      true,
    );
    expect(CHECKS.filter(({ id }) => id === check.id)).toHaveLength(1);
  });
});

describe('advice about tokens of other sessions', () => {
  const executive = { ...SETTINGS, hasExecutive: true };
  const trusting = { ...SETTINGS, refusesForeignIds: true };
  const ignored = { foreignStatus: { ...foreign, reply: OK, told: foreign.own } };
  const refused = { foreignStatus: FOREIGN_REFUSED };

  it.each<[string, string, Partial<Observations>, typeof SETTINGS, Result['verdict'], string]>([
    [
      'without an executive token',
      'foreign-status',
      ignored,
      SETTINGS,
      'differs, configure',
      'Give workers an executive',
    ],
    ['with one', 'foreign-status', { ...ignored, executiveRead: OK }, executive, 'differs, safe', 'Workers with this'],
    [
      'with one that Incode refuses',
      'foreign-status',
      { ...ignored, executiveRead: reply(401, ERROR) },
      executive,
      'differs, configure',
      'Correct the executive token',
    ],
    [
      'with one that was not tried',
      'unknown-id',
      { statusOfUnknownId: OK },
      executive,
      'differs, configure',
      'Correct the executive token',
    ],
    [
      'with a wrong setting',
      'foreign-status',
      ignored,
      trusting,
      'differs, configure',
      'Remove INCODE_REFUSES_FOREIGN_IDS',
    ],
    [
      'with a wrong setting',
      'unknown-id',
      { statusOfUnknownId: OK },
      trusting,
      'differs, configure',
      'Remove INCODE_REFUSES_FOREIGN_IDS',
    ],
    [
      'with a wrong setting',
      'token-names-session',
      { token: unnamed, ...ignored },
      trusting,
      'differs, configure',
      'Remove INCODE_REFUSES_FOREIGN_IDS',
    ],
    [
      'with a missing setting',
      'foreign-status',
      { token: unnamed, ...refused },
      SETTINGS,
      'as assumed',
      'Set INCODE_REFUSES_FOREIGN_IDS=true',
    ],
    [
      'with a missing setting',
      'token-names-session',
      { token: unnamed, ...refused },
      SETTINGS,
      'differs, safe',
      'Set INCODE_REFUSES_FOREIGN_IDS=true',
    ],
    [
      'with the setting',
      'token-names-session',
      { token: unnamed, ...refused },
      trusting,
      'differs, safe',
      'The read by id detects',
    ],
    [
      'if nothing was tried',
      'token-names-session',
      { token: unnamed },
      trusting,
      'differs, configure',
      'Give workers an executive',
    ],
  ])('%s, %s begins with what to do', (_, id, seen, settings, verdict, advice) => {
    const check = CHECKS.find((one) => one.id === id);
    const result = check && resultOf(check, seen, settings, (missing) => `${missing} is missing`);
    expect(result?.verdict).toBe(verdict);
    expect(result?.advice?.slice(0, advice.length)).toBe(advice);
  });

  it.each([
    ['with the setting', { token: unnamed, ...refused }, trusting],
    ['with a claim that names the session', { token, ...refused }, SETTINGS],
  ])('foreign-status needs nothing %s', (_, seen, settings) => {
    const check = CHECKS.find(({ id }) => id === 'foreign-status');
    const result = check && resultOf(check, seen, settings, (missing) => `${missing} is missing`);
    expect([result?.verdict, result?.advice]).toEqual(['as assumed', undefined]);
  });
});

describe('replies', () => {
  it.each([
    [reply(200, { overall: { status: 'WARN' } }), true],
    [reply(200, { overall: { status: 'UNKNOWN' } }), false],
    [reply(200, { overall: { status: '' } }), false],
    [reply(200, { overall: null }), false],
    [reply(404, { overall: { status: 'WARN' } }), false],
  ])('isScoreReady of %j is %s', (answer, isReady) => {
    expect(isScoreReady(answer)).toBe(isReady);
  });

  it.each([
    ['ONBOARDING_FINISHED', true],
    ['MANUAL_REVIEW_APPROVED', true],
    ['UNKNOWN', false],
    [undefined, false],
  ])('isFinishedStatus of %s is %s', (onboardingStatus, isFinished) => {
    expect(isFinishedStatus(statusOf(reply(200, { onboardingStatus })))).toBe(isFinished);
  });

  it.each([
    ['a failure that comes with 200', reply(200, { success: false }), false],
    ['no content', reply(204, ''), false],
    ['a byte order mark before JSON', reply(200, '\ufeff{"a": "b"}'), true],
  ])('isSuccess agrees with the package about %s', (_, answer, isOne) => {
    expect(isSuccess(answer)).toBe(isOne);
  });
});

describe('quoted', () => {
  it.each([
    [undefined, 'none'],
    ['approved', 'approved'],
    ['EXPIRED ', '"EXPIRED "'],
    ['a\u001b[31mb', '"a?[31mb"'],
    ['x'.repeat(100), `"${'x'.repeat(37)}..."`],
  ])('prints %j as %s', (word, shown) => {
    expect(quoted(word)).toBe(shown);
  });
});

describe('checkEnvironment', () => {
  it.each([
    ['http://127.0.0.1:4010', 'this machine'],
    ['http://[::1]:4010/incode', 'this machine'],
    ['https://demo-api.incodesmile.com', 'demo-api.incodesmile.com'],
    ['https://sandbox.bank.example', 'another trial host'],
    ['https://incode-staging.bank.example', 'another trial host'],
    ['https://api.bank.example', 'another host'],
    // Letters inside a longer word do not count.
    ['https://latest.bank.example', 'another host'],
    ['https://api.demonstration.example', 'another host'],
  ] as const)('kindOf %s is %s', (url, kind) => {
    expect(kindOf(url)).toBe(kind);
  });

  it.each([
    ['another host', 'billable-sessions'],
    ['another trial host', undefined],
    ['this machine', 'billable-sessions'],
  ] as const)('accepts %s with --yes %s', (kind, accepted) => {
    expect(() => checkEnvironment(kind, accepted)).not.toThrow();
  });

  it.each([
    ['another host', undefined, '--yes billable-sessions'],
    ['another host', 'true', 'names the risk'],
    ['this machine', 'true', 'names the risk'],
  ] as const)('refuses %s with --yes %s', (kind, accepted, why) => {
    expect(() => checkEnvironment(kind, accepted)).toThrow(why);
  });
});

it('wrappedTable wraps at spaces, breaks long words and ignores colors in widths', () => {
  const rows = [['a word and abcdefghij', '\u001b[31mred\u001b[39m']];
  expect(wrappedTable(['first', 'second'], rows, [6, 6]).split('\n')).toEqual([
    'FIRST   SECOND',
    '',
    'a word  \u001b[31mred\u001b[39m',
    'and',
    'abcdef',
    'ghij',
  ]);
});
