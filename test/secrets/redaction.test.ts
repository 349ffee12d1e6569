import { afterEach, describe, expect, it } from 'vitest';
import * as logging from '../../src/monitoring/logger.js';
import { keepSecret, redacted, withoutKnownSecrets } from '../../src/secrets/index.js';

const KNOWN = keepSecret('known+secret/with "quotes"');
const LONGER = keepSecret(`${KNOWN} and more`);
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJpbnRlcnZpZXdJZCI6IjUifQ.c2lnbmF0dXJlLW9mLWl0';

describe('redacted', () => {
  it.each([
    ['a known secret', `before ${KNOWN} after`, 'before [redacted] after'],
    ['a known secret that begins like another', `(${LONGER})`, '([redacted])'],
    ['a known secret in JSON', JSON.stringify({ x: KNOWN }), '{"x":"[redacted]"}'],
    ['a known secret in a URL', `/x?key=${encodeURIComponent(KNOWN)}`, '/x?key=[redacted]'],
    ['a session token', `the token ${JWT}.`, 'the token [redacted].'],
    ['a bearer token', 'Authorization: Bearer abcdefghijkl, and', 'Authorization: Bearer [redacted], and'],
    ['a header', 'x-api-key: abcdefgh', 'x-api-key: [redacted]'],
    ['a header of Incode', "'X-Incode-Hardware-Id': 'abcdefgh'", "'X-Incode-Hardware-Id': '[redacted]'"],
    ['a field', '{"sessionToken":"abc","interviewId":"5"}', '{"sessionToken":"[redacted]","interviewId":"5"}'],
    ['JSON in JSON', '{"m":"{\\"apiKey\\":\\"abc\\"}"}', '{"m":"{\\"apiKey\\":\\"[redacted]\\"}"}'],
    ['an assignment', 'INCODE_API_KEY=abcdefgh worker', 'INCODE_API_KEY=[redacted] worker'],
    ['a query', 'at https://bank.example/next?name=Jane#x.', 'at https://bank.example/next?[redacted]'],
    ['a login', 'proxy http://user:word@proxy.example:3128', 'proxy http://[redacted]@proxy.example:3128'],
  ])('removes %s', (_, text, shown) => {
    expect(redacted(text)).toBe(shown);
  });

  it.each([
    'Session 5f3a: Incode answered 403. The API key is not accepted: correct it.',
    'INCODE_API_KEY is required, or INCODE_API_KEY_FILE',
    'Temporal at temporal.example:7233 refuses the credentials (TEMPORAL_API_KEY)',
    '{"apiKey":null,"password":{"a":1},"sessionTokens":3,"url":"http://127.0.0.1:8088/incode/webhook"}',
    '    at run (file:///app/dist/incode/client.js:88:13)',
  ])('does not change a text without secrets: %s', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it('withoutKnownSecrets keeps redirection URLs, but removes known secrets', () => {
    const answer = '{"redirectionUrl":"https://bank.example/next?token=abc","note":"known secret"}';
    expect(withoutKnownSecrets(answer)).toBe(answer);
    expect(withoutKnownSecrets(JSON.stringify(KNOWN))).toBe('"[redacted]"');
  });

  it('does not search for secrets that are too short', () => {
    keepSecret('at');
    expect(redacted('attempt at it')).toBe('attempt at it');
  });
});

describe('createLogger', () => {
  const written: string[] = [];
  const { info, error } = logging.createLogger('info', { write: (line) => written.push(line) });
  afterEach(() => {
    written.length = 0;
  });
  const lines = () => written.map((line) => JSON.parse(line));

  it('redacts fields with names of secrets at any depth', () => {
    const hidden = ['abc1', 'abc2', 'abc3', 'abc4', 'abc5'];
    info('Said', {
      sessionToken: 'abc1',
      request: { headers: { 'X-API-Key': 'abc2', authorization: 'abc3', 'x-incode-hardware-id': 'abc4' } },
      list: [{ secrets: ['abc5'] }],
      token: null,
      attempt: 2n,
      interviewId: '5f3a',
    });
    expect(hidden.filter((secret) => written.join().includes(secret))).toEqual([]);
    expect(lines()).toMatchObject([{ token: null, attempt: 2, interviewId: '5f3a', msg: 'Said' }]);
  });

  it('does not search objects with their own toJSON, or fields deeper than six levels', () => {
    class Token {
      readonly token = 'abc6';
      toJSON = () => '(hidden)';
    }
    const deep = { a: { b: { c: { d: { e: { token: 'abc7' } } } } } };
    info('Said', { held: new Token(), deep, bare: Object.assign(Object.create(null), { password: 'abc8' }) });
    expect(written.join()).not.toMatch(/abc[68]/);
    expect(lines()).toMatchObject([{ held: '(hidden)', deep, bare: { password: '[redacted]' } }]);
  });

  it('redacts secrets in a message, an error, its stack and its cause', () => {
    const cause = new Error(`POST https://api.example/x?key=${KNOWN} with ${JWT}`);
    error(`Failed: ${KNOWN}`, { error: new Error(`failed with ${KNOWN}`, { cause }), attempt: 1 });
    expect(written.join()).not.toMatch(/known\+secret|eyJ|with \\"/);
    expect(lines()).toMatchObject([
      { msg: 'Failed: [redacted]', err: { message: 'failed with [redacted]', stack: expect.stringContaining('at ') } },
    ]);
  });

  it('writes an error that is its own cause', () => {
    const own = new Error('own');
    own.cause = own;
    error('Failed', { error: own });
    expect(lines()).toMatchObject([{ msg: 'Failed', err: { message: 'own', cause: { message: 'own' } } }]);
  });
});
