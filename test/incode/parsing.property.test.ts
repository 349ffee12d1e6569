import { describe, expect, it } from 'vitest';
import { classify } from '../../src/incode/classification.js';
import { errorCode, readObject } from '../../src/incode/responses.js';
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from '../../src/incode/retry-after.js';
import { cases, fc } from '../support/property.js';

const any = { retryAfter: undefined, body: '' };
const status = fc.integer({ min: 0, max: 1_200 });
const interruption = fc.record({
  ended: fc.constant('interrupted' as const),
  phase: fc.constantFrom('unsent' as const, 'sent' as const, 'answering' as const),
  reason: fc.constantFrom('timeout' as const, 'cancelled' as const, 'connection' as const, 'tooLarge' as const),
  code: fc.constant(undefined),
  proxyStatus: fc.option(status, { nil: undefined }),
  status: fc.option(status, { nil: undefined }),
  retryAfter: fc.constant(undefined),
});

const OVER_BEFORE_IT_BEGAN = [408, 425, 429, 503];
const PROXY_REFUSES = [403, 407];

describe('classify', () => {
  it('returns notTaken only for requests that Incode never saw or refused before any work', () => {
    fc.assert(
      fc.property(status, (status) => {
        const notTaken = classify({ ended: 'answered', status, ...any }) === 'notTaken';
        expect(notTaken).toBe(OVER_BEFORE_IT_BEGAN.includes(status));
      }),
      cases(4),
    );
    fc.assert(
      fc.property(interruption, (end) => {
        if (classify(end) !== 'notTaken') return;
        expect(end.phase === 'unsent' || OVER_BEFORE_IT_BEGAN.includes(end.status ?? 0)).toBe(true);
      }),
      cases(),
    );
  });

  it('returns a kind for every interruption', () => {
    fc.assert(
      fc.property(interruption, (end) => {
        expect(classify(end)).toBeDefined();
      }),
      cases(),
    );
  });

  it('treats exactly the 2xx statuses with a body as answers', () => {
    fc.assert(
      fc.property(status, (status) => {
        const isAnswer = classify({ ended: 'answered', status, ...any }) === undefined;
        expect(isAnswer).toBe(status >= 200 && status < 300 && status !== 204 && status !== 205);
      }),
      cases(4),
    );
  });

  it('maps an interrupted answer like a complete one, except for a success', () => {
    fc.assert(
      fc.property(interruption, status, ({ proxyStatus: _, ...end }, status) => {
        const broken = classify({ ...end, phase: 'answering', proxyStatus: undefined, status });
        expect(broken).toBe(classify({ ended: 'answered', status, ...any }) ?? 'resultUnknown');
      }),
      cases(),
    );
  });

  it('returns misconfigured only for the proxy statuses 403 and 407', () => {
    fc.assert(
      fc.property(status, (proxyStatus) => {
        const kind = classify({ ...interrupted, proxyStatus });
        expect(kind).toBe(PROXY_REFUSES.includes(proxyStatus) ? 'misconfigured' : 'notTaken');
      }),
      cases(4),
    );
  });
});

const interrupted = {
  ended: 'interrupted',
  phase: 'unsent',
  reason: 'connection',
  code: undefined,
  status: undefined,
  retryAfter: undefined,
} as const;

describe('parseRetryAfter', () => {
  const now = fc.integer({ min: 0, max: Date.parse('2099-12-31T00:00:00Z') });
  const capped = (ms: number) => Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);

  it('returns a delay within its bounds, or undefined, for any text', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.double().map(String), fc.date().map(String));
    fc.assert(
      fc.property(text, now, (value, now) => {
        const ms = parseRetryAfter(value, now) ?? 0;
        expect(ms >= 0 && ms <= MAX_RETRY_AFTER_MS).toBe(true);
      }),
      cases(),
    );
  });

  it('reads whole numbers of seconds and no other numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), now, (seconds, now) => {
        expect(parseRetryAfter(`${seconds}`, now)).toBe(capped(Number(seconds) * 1_000));
        expect(parseRetryAfter(`-${seconds + 1n}`, now)).toBeUndefined();
        expect(parseRetryAfter(`${seconds}.5`, now)).toBeUndefined();
      }),
      cases(),
    );
  });

  it('reads HTTP dates and no ISO dates', () => {
    fc.assert(
      fc.property(now, fc.integer({ min: -10_000, max: 10_000 }), (now, seconds) => {
        const second = Math.floor(now / 1_000) * 1_000;
        const date = new Date(second + seconds * 1_000);
        expect(parseRetryAfter(date.toUTCString(), second)).toBe(capped(seconds * 1_000));
        expect(parseRetryAfter(date.toISOString(), second)).toBeUndefined();
      }),
      cases(),
    );
  });
});

describe('readObject and errorCode', () => {
  const body = fc.oneof(fc.json(), fc.string(), fc.string({ unit: 'binary' }));

  it('readObject returns the parsed object, or undefined, for any text', () => {
    fc.assert(
      fc.property(body, (body) => {
        const fields = readObject(body);
        if (fields !== undefined) expect(fields).toEqual(JSON.parse(body));
      }),
      cases(),
    );
  });

  it('errorCode returns a short code, or undefined, for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          body,
          fc.json().map((status) => `{"status":${status}}`),
        ),
        status,
        (body, status) => {
          const code = errorCode(body, status);
          expect(String(code)).toMatch(/^-?\w{1,40}$/);
          expect(code).not.toBe(status);
        },
      ),
      cases(),
    );
  });
});
