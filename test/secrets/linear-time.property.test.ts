import { describe, expect, it } from 'vitest';
import { checkOnboardingInput, parseDuration } from '../../src/contract/index.js';
import { interviewIdOfToken } from '../../src/contract/token-claims.js';
import { createLogger } from '../../src/monitoring/logger.js';
import { keepSecret, redacted } from '../../src/secrets/index.js';
import { fc } from '../support/property.js';

keepSecret('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab');

/** Pieces that each pattern looks for. A text that repeats them almost matches at every position. */
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
/** Four times the length takes 4 times as long in linear time, and 16 times as long in quadratic time. */
const MAX_GROWTH = 10;

/** By what factor the CPU time grows for a text of four times the length. Takes the minimum of several runs. */
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

/** Other work on the machine disturbs single measurements, so several are made. */
function expectLinear(work: (text: string) => void, make: (length: number) => string, what = ''): void {
  let least = Number.POSITIVE_INFINITY;
  for (let runs = 0; runs < 4 && least >= MAX_GROWTH; runs += 1) least = Math.min(least, growth(work, make));
  expect(least, what).toBeLessThan(MAX_GROWTH);
}

const filled = (text: string) => (length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length);

describe('redacted', () => {
  it('is measured by a method that detects a pattern with quadratic time', () => {
    const quadratic = /\beyJ[\w-]{8,}\.[\w-]{8,}/g;
    const remove = (text: string) => text.replace(quadratic, '');
    let most = 0;
    for (let runs = 0; runs < 4 && most <= MAX_GROWTH; runs += 1) most = Math.max(most, growth(remove, filled('-eyJ')));
    expect(most).toBeGreaterThan(MAX_GROWTH);
  });

  it.each(Object.entries(PIECES))(
    'takes linear time for texts made of pieces of %s',
    (_, pieces) => {
      for (const piece of pieces) {
        expectLinear(redacted, filled(piece), JSON.stringify(piece));
      }
    },
    60_000,
  );

  it('takes linear time for texts made of any of the pieces', () => {
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

  it('parseDuration and checkOnboardingInput take linear time for long durations and keys', () => {
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

describe('interviewIdOfToken', () => {
  it('takes linear time for tokens made of any piece of a JWT', () => {
    for (const piece of ['=', '.', 'a', '-_', '= ', 'a=']) {
      const make = filled(piece);
      expectLinear((text) => interviewIdOfToken(`a.${text}!`), make, piece);
      expectLinear((text) => interviewIdOfToken(`${text}.a`), make, piece);
    }
  });
});

describe('createLogger', () => {
  const written: string[] = [];
  const { info } = createLogger('info', { write: (line) => written.push(line) });

  it('takes linear time for the texts of a line', () => {
    const quiet = createLogger('info', { write: () => undefined });
    for (const piece of ['k', 'eyJ', '-eyJ', 'http://', 'apikey ', '"', ' ']) {
      const make = filled(piece);
      expectLinear((text) => quiet.info(`${text}"`, { text }), make, piece);
    }
    // Also for a line that is too long and will be cut.
    const word = (length: number) => `${'k'.repeat(24 * length)}" ${'k'.repeat(24 * length)}`;
    expectLinear((text) => quiet.info(text), word);
  });

  it('cuts a long line before it is redacted, and keeps it valid JSON with its level', () => {
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

  it('shows no part of a secret at the position where a line is cut', () => {
    const secret = keepSecret('a secret with blanks that is known');
    for (let pad = 32_600; pad < 32_800; pad += 7) {
      written.length = 0;
      info(`${'p '.repeat(pad / 2)}${secret} and more ${'m '.repeat(1_000)}`);
      expect(written.join()).not.toContain('a secret');
    }
  });
});
