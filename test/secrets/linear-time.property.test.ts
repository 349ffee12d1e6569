import { describe, expect, it } from 'vitest';
import { checkOnboardingInput, parseDuration } from '../../src/contract/index.js';
import { createLogger } from '../../src/monitoring/logger.js';
import { keepSecret, redacted } from '../../src/secrets/index.js';
import { fc } from '../support/property.js';

keepSecret('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab');

/** Pieces of what each pattern looks for. A text that repeats them almost matches at every place. */
const PIECES: Record<string, string[]> = {
  JWT: ['eyJ', '-eyJ', 'eyJ.', 'eyJaaaaaaaa.', 'eyJaaaaaaaa.b.', 'eyJaaaaaaaa.bbbbbbbb', 'a.', 'a-'],
  CREDENTIALS: ['Bearer', 'Bearer ', 'Basic  ', 'Bearer abc', 'Basic =', 'basic abcdefgh'],
  NAMED: [
    'apikey',
    'password',
    'api-key:',
    "apikey'",
    'apikey" ',
    'session_token \\" : \\"',
    'apikey=[redacted',
    'secret ',
  ],
  URL_PARTS: ['http://', 'https://a', 'http://a:', 'http://a@', 'http://?', 'http://a?#', '@', '?'],
  known: ['a', 'aaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac'],
  blanks: [' ', '\t', '\\', '"', "\\'", ':', '=', '\n', '[', '.', '-', '1', '/'],
};

const LENGTH = 2_000;
/** Time in the square of the length makes it 16, time in the length 4. */
const MOST_GROWTH = 10;

/** What a text of four times the length takes, compared: CPU time of this process, the least of several goes. */
function growth(work: (text: string) => void, make: (length: number) => string): number {
  const [short, long] = [make(LENGTH), make(4 * LENGTH)];
  const micros = (text: string, times: number) => {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i += 1) work(text);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  let times = 1;
  while (micros(short, times) < 1_500) times *= 2;
  const least = (text: string) => Math.min(...Array.from({ length: 3 }, () => micros(text, times)));
  return least(long) / least(short);
}

/** Other work on the machine disturbs a measurement; it does not make growth smaller time and again. */
function expectLinear(work: (text: string) => void, make: (length: number) => string, what = ''): void {
  let least = Number.POSITIVE_INFINITY;
  for (let goes = 0; goes < 4 && least >= MOST_GROWTH; goes += 1) least = Math.min(least, growth(work, make));
  expect(least, what).toBeLessThan(MOST_GROWTH);
}

const filled = (text: string) => (length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length);

describe('the log filter', () => {
  it('knows a pattern whose time grows with the square of the length when it sees one', () => {
    const quadratic = /\beyJ[\w-]{8,}\.[\w-]{8,}/g;
    expect(growth((text) => text.replace(quadratic, ''), filled('-eyJ'))).toBeGreaterThan(MOST_GROWTH);
  });

  it.each(Object.entries(PIECES))(
    'takes time in the length of a text made of pieces of %s',
    (_, pieces) => {
      for (const piece of pieces) {
        expectLinear(redacted, filled(piece), JSON.stringify(piece));
      }
    },
    60_000,
  );

  it('takes time in the length of a text made of any of the pieces', () => {
    const any = fc.array(fc.constantFrom(...Object.values(PIECES).flat()), { minLength: 1, maxLength: 4 });
    const parts = fc.record({ before: any, repeated: any, after: any });
    const seed = Number(process.env.PROPERTY_SEED ?? 20_261_125);
    fc.assert(
      fc.property(parts, ({ before, repeated, after }) => {
        const make = (length: number) => before.join('') + filled(repeated.join(''))(length) + after.join('');
        expectLinear(redacted, make);
      }),
      { seed, numRuns: 40 },
    );
  });

  it('takes time in the length of keys that are refused and of durations', () => {
    for (const piece of ['token', 'api-', 'x-api_key', 'secret', '1', '1.', 'h ', ' ']) {
      const make = filled(piece);
      expectLinear((text) => parseDuration(`1${text}!`), make, piece);
      const refuse = (text: string) => {
        expect(() => checkOnboardingInput({ interviewId: 'a', [text]: 1 })).toThrow();
      };
      expectLinear(refuse, make, piece);
    }
  });
});

describe('a log line', () => {
  const written: string[] = [];
  const { info } = createLogger('info', { write: (line) => written.push(line) });

  it('takes time in the length of its texts', () => {
    const quiet = createLogger('info', { write: () => undefined });
    for (const piece of ['k', 'eyJ', '-eyJ', 'http://', 'apikey ', '"', ' ']) {
      const make = filled(piece);
      expectLinear((text) => quiet.info(`${text}"`, { text }), make, piece);
    }
    // Above what a line may have, too.
    const word = (length: number) => `${'k'.repeat(24 * length)}" ${'k'.repeat(24 * length)}`;
    expectLinear((text) => quiet.info(text), word);
  });

  it('is cut before it is filtered, stays JSON and keeps its level', () => {
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpbnRlcnZpZXdJZCI6IjUifQ.c2lnbmF0dXJl';
    info('Said', { key: 'k'.repeat(800_000), more: token });
    info('Said', { keys: Array.from({ length: 5_000 }, () => token) });
    info(`Said ${token} `.repeat(10_000));
    const lines = written.map((line) => JSON.parse(line));
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatchObject({ level: 'info', time: expect.any(String) });
    for (const line of written) {
      expect(line.length).toBeLessThan(40_000);
      expect(line).not.toContain('eyJ');
    }
  });

  it('shows no piece of a secret that is cut in two', () => {
    const secret = keepSecret('a secret with blanks that is known');
    for (let pad = 32_600; pad < 32_800; pad += 7) {
      written.length = 0;
      info(`${'p '.repeat(pad / 2)}${secret} and more ${'m '.repeat(1_000)}`);
      expect(written.join()).not.toContain('a secret');
    }
  });
});
