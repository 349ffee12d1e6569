import { describe, expect, it } from 'vitest';
import { apiKeyOf } from '../../src/incode/api-key.js';
import { createIncodeClient } from '../../src/incode/index.js';
import { serve } from '../support/http.js';
import { failureOf, session } from './support.js';

/** An Incode that takes one key. */
async function incodeWith(key: string) {
  return serve((request, response) => {
    response.statusCode = request.headers['x-api-key'] === key ? 200 : 403;
    response.end('{"action": "none"}');
  });
}

describe('an API key that is a function', () => {
  it('is asked for each call', async () => {
    await using server = await incodeWith('the-new-key');
    const keys = ['the-old-key', 'the-old-key', 'the-new-key'];
    const client = createIncodeClient({ baseUrl: server.url, apiKey: () => keys.shift() ?? 'none' });
    expect(await failureOf(client.finishStatus(session))).toMatchObject({ kind: 'apiKeyRefused', httpStatus: 403 });
    expect(await client.finishStatus(session)).toMatchObject({ action: 'none' });
    expect(server.requests).toHaveLength(2);
    await client.close();
  });

  it('is told which key was refused; another one that it has by then may be tried at once', async () => {
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
    expect(failure).toMatchObject({ kind: 'notTaken', httpStatus: 403 });
    expect(failure.message).toContain('an API key that has been replaced since');
    expect(failure.message).not.toMatch(/the-(old|new)-key/);
    expect(await client.finishStatus(session)).toMatchObject({ action: 'none' });
    expect(refusals).toEqual([undefined, 'the-old-key', undefined]);
    await client.close();
  });

  it.each([
    ['throws', () => JSON.parse('the-old-key')],
    ['gives none', () => undefined as unknown as string],
    ['gives one that cannot be sent', () => 'two\nlines'],
  ])('and %s makes no request, and counts as refused', async (_, apiKey) => {
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
  it('a text is the key of now, and never exchanged', () => {
    const key = apiKeyOf('the-key');
    expect([key.now(), key.isExchanged('the-key')]).toEqual(['the-key', false]);
  });

  it.each([
    ['another one', () => 'another-key', true],
    ['the same', () => 'the-key', false],
    ['none', () => undefined as unknown as string, false],
  ])('of a function that gives %s it is exchanged: %#', (_, given, expected) => {
    expect(apiKeyOf(given).isExchanged('the-key')).toBe(expected);
  });
});
