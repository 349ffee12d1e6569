import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config/index.js';
import { reader } from '../../src/config/reader.js';
import { MAX_DURATION_MS } from '../../src/contract/duration.js';
import { parseDuration } from '../../src/contract/index.js';
import { cases, fc, printable } from '../support/property.js';
import { isValid } from '../support/schema.js';

const UNITS = {
  ms: 1,
  s: 1_000,
  seconds: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  weeks: 604_800_000,
};
const unit = fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[]));
const space = fc.constantFrom('', ' ', '  ', '\t');

describe('parseDuration', () => {
  it('reads a number with a unit, in any case and with any white space', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), unit, space, fc.boolean(), (count, unit, space, loud) => {
        const text = `${space}${count}${space}${loud ? unit.toUpperCase() : unit}${space}`;
        const ms = count * UNITS[unit];
        expect(parseDuration(text)).toBe(ms <= MAX_DURATION_MS ? ms : undefined);
      }),
      cases(),
    );
  });

  it('returns a whole number that fits in a timer, or undefined, for any text, and accepts only what the schema accepts', () => {
    const near = fc
      .tuple(fc.double({ noNaN: true }).map(String), space, fc.oneof(unit, fc.string()))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(near, fc.string(), fc.string({ unit: 'binary' })), (text) => {
        const ms = parseDuration(text);
        if (ms === undefined) return;
        expect(Number.isSafeInteger(ms) && ms >= 1 && ms <= MAX_DURATION_MS).toBe(true);
        expect(isValid('DurationString', text)).toBe(true);
      }),
      cases(3),
    );
  });
});

describe('reader', () => {
  const value = fc.oneof(fc.string(), printable(20), fc.integer().map(String), fc.double().map(String));

  it('returns a number within its bounds, or names the invalid variable', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 1_000 }), (text, max) => {
        const read = reader({ N: text });
        const whole = read.integer('N', 1, max);
        if (read.problems.length === 0) expect(Number.isSafeInteger(whole) && whole >= 1 && whole <= max).toBe(true);
        else expect(read.problems).toEqual([expect.stringMatching(/^N must be a whole number from 1 to/)]);
      }),
      cases(),
    );
    fc.assert(
      fc.property(value, (text) => {
        const read = reader({ N: text });
        const number = read.number('N', { min: 0.5, max: 10 });
        if (read.problems.length > 0)
          expect(read.problems).toEqual([expect.stringMatching(/^N must be a number from/)]);
        else if (text.trim() === '') expect(number).toBeUndefined();
        else expect(number).toBe(Number(text));
      }),
      cases(),
    );
  });

  it('returns a duration up to its bound, or names the invalid variable', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          value,
          fc.tuple(fc.nat(), unit).map((parts) => parts.join('')),
        ),
        (text) => {
          const read = reader({ D: text });
          const ms = read.duration('D', 10_000, '1 hour');
          if (read.problems.length === 0) expect(ms >= 1 && ms <= 3_600_000).toBe(true);
          else expect(read.problems).toEqual([expect.stringMatching(/^D must be (a duration|at most 1 hour)/)]);
        },
      ),
      cases(),
    );
  });
});

describe('readConfig', () => {
  const NAMES = [
    ...['INCODE_BASE_URL', 'INCODE_API_KEY', 'INCODE_CONFIGURATION_ID', 'INCODE_TIMEOUT', 'INCODE_FINISH_TIMEOUT'],
    ...[
      'INCODE_CONNECTIONS',
      'INCODE_SETTLE_TIME',
      'WORKER_MAX_CACHED_WORKFLOWS',
      'WORKER_SHUTDOWN_GRACE',
      'LOG_LEVEL',
    ],
    ...['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'TEMPORAL_NAMESPACE'],
  ];
  const environment = fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(printable(30), fc.string(), fc.webUrl()));

  it('names each invalid variable of any environment, and never shows a key', () => {
    const secret = 'key-that-must-not-be-seen';
    fc.assert(
      fc.property(environment, fc.constantFrom(' ', '\n', ' é'), (env, spoil) => {
        const variables = { ...env, INCODE_API_KEY: `${secret}${spoil}${secret}` };
        try {
          readConfig(variables);
          expect.unreachable('the key is wrong');
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          const { message, problems } = error as ConfigError;
          expect(message).not.toContain(secret);
          for (const problem of problems) expect(problem).toMatch(/^[A-Z][A-Z_]+[ …:]/);
        }
      }),
      cases(),
    );
  });
});
