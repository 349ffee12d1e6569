import { describe, expect, it } from 'vitest';
import { apiKeyOf } from '../../src/incode/api-key.js';
import { createIncodeClient } from '../../src/incode/index.js';
import { serve } from '../support/http.js';
import { failureOf, session } from '../support/incode.js';

/** A server that accepts one key. */
async function incodeWith(key: string) {
  return serve((request, response) => {
    response.statusCode = request.headers['x-api-key'] === key ? 200 : 403;
    response.end('{"action": "none"}');
  });
}

describe('createIncodeClient with a function as API key', () => {
  it('calls the function for each request', async () => {
    await using server = await incodeWith('the-new-key');
    const keys = ['the-old-key', 'the-old-key', 'the-new-key'];
    const client = createIncodeClient({ baseUrl: server.url, apiKey: () => keys.shift() ?? 'none' });
    expect(await failureOf(client.finishStatus(session))).toMatchObject({ kind: 'apiKeyRefused', httpStatus: 403 });
    expect(await client.finishStatus(session)).toMatchObject({ action: 'none' });
    expect(server.requests).toHaveLength(2);
    await client.close();
  });

  it('passes a refused key to the function, and asks for a retry within a second if the key has been replaced', async () => {
    await using server = await incodeWith('the-new-key');
    const refusals: (string | undefined)[] = [];
    let key = 'the-old-key';
    const apiKey = (refused?: string) => {
      refusals.push(refused);
      if (refused) key = 'the-new-key';
      return key;
    };
    const client = createIncodeClient({ baseUrl: server.url, apiKey });
    const failure = await failureOf(client.finishStatus(session));
    // However often the old key was tried: the backoff may have grown to minutes.
    expect(failure).toMatchObject({ kind: 'notTaken', httpStatus: 403, retryAfterMs: 1_000 });
    expect(failure.message).toContain('an API key that has been replaced since');
    expect(failure.message).not.toMatch(/the-(old|new)-key/);
    expect(await client.finishStatus(session)).toMatchObject({ action: 'none' });
    expect(refusals).toEqual([undefined, 'the-old-key', undefined]);
    await client.close();
  });

  it.each([
    ['throws', () => JSON.parse('the-old-key')],
    ['returns undefined', () => undefined as unknown as string],
    ['returns a key with a line break', () => 'two\nlines'],
  ])('sends no request and reports apiKeyRefused if the function %s', async (_, apiKey) => {
    await using server = await incodeWith('any');
    const client = createIncodeClient({ baseUrl: server.url, apiKey });
    const failure = await failureOf(client.finishStatus(session));
    expect(failure).toMatchObject({ kind: 'apiKeyRefused', httpStatus: undefined });
    expect(failure.message).not.toMatch(/the-old-key|two/);
    expect(server.requests).toHaveLength(0);
    await client.close();
  });
});

describe('apiKeyOf', () => {
  it('never replaces a key that is a string', () => {
    const key = apiKeyOf('the-key');
    expect([key.current(), key.isReplaced('the-key')]).toEqual(['the-key', false]);
  });

  it.each([
    ['another key', true, () => 'another-key'],
    ['the same key', false, () => 'the-key'],
    ['undefined', false, () => undefined as unknown as string],
  ])('reads %s after a refusal: isReplaced is %s', (_, expected, option) => {
    expect(apiKeyOf(option).isReplaced('the-key')).toBe(expected);
  });
});
