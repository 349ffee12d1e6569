import { createHmac } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createBearerTokens, signingKey } from '../../src/webhook/tokens.js';
import { basic, CLIENT, deliver, requestToken, SECRET, STATUS, send, startReceiver } from './support.js';

const OLD = 'the-secret-of-last-year';

describe('the secret in a header', () => {
  it.each<[number, string, Record<string, string>]>([
    [200, 'the secret', {}],
    [200, 'the secret under an upper-case header name', { 'X-SECRET': SECRET }],
    [401, 'another secret', { 'x-secret': 'unknown-to-this-side' }],
    [401, 'the beginning of the secret', { 'x-secret': SECRET.slice(0, -1) }],
    [401, 'the secret and another character', { 'x-secret': `${SECRET}!` }],
    [401, 'an empty header', { 'x-secret': '' }],
    [401, 'the secret in another header', { 'x-secret': '', authorization: SECRET }],
  ])('answers %i to %s', async (status, _, headers) => {
    await using one = await startReceiver();
    const answer = await deliver(one.url, { headers });
    expect(answer.status).toBe(status);
    expect(answer.body.error).toBe(status === 401 ? 'A delivery must carry a valid credential' : undefined);
    expect(one.receiver.counts.unauthenticated).toBe(status === 401 ? 1 : 0);
    expect(one.deliveries).toHaveLength(status === 200 ? 1 : 0);
    expect(JSON.stringify([answer.body, one.events])).not.toContain(SECRET);
  });

  it('refuses a delivery without the header', async () => {
    for (const oauth of [{}, { oauth: { clients: [CLIENT] } }]) {
      await using one = await startReceiver({ header: { name: 'X-Secret', secrets: [SECRET] }, ...oauth });
      const headers = { 'content-type': 'application/json' };
      expect(await send(one.url, { method: 'POST', headers, body: JSON.stringify(STATUS) })).toMatchObject({
        status: 401,
      });
      expect(one.receiver.counts.unauthenticated).toBe(1);
      expect(one.deliveries).toEqual([]);
    }
  });

  it('accepts an old and a new secret and logs which one was used', async () => {
    await using one = await startReceiver({ header: { name: 'x-secret', secrets: [SECRET, OLD] } });
    expect(await deliver(one.url, { headers: { 'x-secret': OLD } })).toMatchObject({ status: 200 });
    expect(await deliver(one.url)).toMatchObject({ status: 200 });
    expect(one.events.map(({ credential }) => credential)).toEqual(['header.secrets[1]', 'header.secrets[0]']);
  });

  it('accepts a secret that is the whole Authorization header', async () => {
    const secret = 'Bearer not-one-of-our-tokens';
    await using one = await startReceiver({
      header: { name: 'Authorization', secrets: [secret] },
      oauth: { clients: [CLIENT] },
    });
    expect(await deliver(one.url, { headers: { authorization: secret } })).toMatchObject({ status: 200 });
    const { body } = await requestToken(one.url);
    expect(await deliver(one.url, { headers: { authorization: `Bearer ${body.access_token}` } })).toMatchObject({
      status: 200,
    });
  });

  it('checks the secret before it reads the body', async () => {
    await using one = await startReceiver();
    expect(await deliver(one.url, { headers: { 'x-secret': 'x' }, body: 'no JSON' })).toMatchObject({ status: 401 });
  });
});

describe('the token endpoint', () => {
  it('issues a token that authenticates deliveries', async () => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT], tokenTtlMs: 120_000 } });
    const { status, headers, body } = await requestToken(one.url);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 120 });
    for (const scheme of ['Bearer', 'bearer', 'Bearer  ']) {
      const authorization = `${scheme} ${body.access_token}`;
      expect(await deliver(one.url, { headers: { authorization } })).toMatchObject({ status: 200 });
    }
    for (const authorization of [`Not-Bearer ${body.access_token}`, `Bearer ${body.access_token} more`]) {
      expect(await deliver(one.url, { headers: { authorization } })).toMatchObject({ status: 401 });
    }
    expect(one.receiver.counts).toMatchObject({ tokenIssued: 1, delivered: 3 });
    expect(JSON.stringify(one.events)).not.toContain(String(body.access_token));
  });

  it.each([
    ['a form', 'application/x-www-form-urlencoded;charset=UTF-8', 'scope=&grant_type=client_credentials'],
    ['JSON', 'application/json', '{"grant_type": "client_credentials"}'],
  ])('accepts a request as %s', async (_, contentType, body) => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    expect(await requestToken(one.url, undefined, { contentType, body })).toMatchObject({ status: 200 });
  });

  it.each(['', 'Bearer', 'Bearer a b', `Basic ${btoa('incode:s')}`])(
    'is the only source of tokens, so deliveries with the Authorization header "%s" are refused',
    async (sent) => {
      await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
      const answer = await deliver(one.url, sent === '' ? {} : { headers: { authorization: sent } });
      expect(answer).toMatchObject({ status: 401 });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(one.deliveries).toEqual([]);
    },
  );

  it('accepts credentials as they are and form-encoded', async () => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    const encoded = basic(encodeURIComponent(CLIENT.id), encodeURIComponent(CLIENT.secret));
    expect(encoded).not.toBe(basic(CLIENT.id, CLIENT.secret));
    expect(await requestToken(one.url, encoded)).toMatchObject({ status: 200 });
    expect(await requestToken(one.url, basic(CLIENT.id, CLIENT.secret))).toMatchObject({ status: 200 });
    expect(await requestToken(one.url, encoded.replace(' ', '   '))).toMatchObject({ status: 200 });
  });

  it('accepts a form-encoded secret with a space, which a form writes as +', async () => {
    const secret = 'a secret of 16 characters';
    await using one = await startReceiver({ oauth: { clients: [{ id: CLIENT.id, secret }] } });
    const form = new URLSearchParams({ secret }).toString().slice('secret='.length);
    expect(await requestToken(one.url, basic(CLIENT.id, form))).toMatchObject({ status: 200 });
  });

  it.each([
    ['another secret', basic(CLIENT.id, 'another-secret-of-16')],
    ['another client', basic('other', CLIENT.secret)],
    ['the right characters split at another place', basic('inc', `ode${CLIENT.secret}`)],
    ['an empty secret', basic(CLIENT.id, '')],
    ['credentials without a colon', `Basic ${btoa('incode')}`],
    ['credentials that are not base64', 'Basic %%%'],
    ['another scheme', `Digest ${btoa('incode:s')}`],
    ['a scheme that ends in Basic', `Not-${basic(CLIENT.id, CLIENT.secret)}`],
    ['something behind the credentials', `${basic(CLIENT.id, CLIENT.secret)} more`],
    ['an empty header', ''],
  ])('answers 401 to %s', async (_, authorization) => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    const answer = await requestToken(one.url, authorization);
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(answer.body.error_description).toBe('HTTP Basic must have a known client id and its secret');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(one.receiver.counts).toMatchObject({ unauthenticated: 1, tokenIssued: 0 });
  });

  it.each([
    ['another grant type', 'application/x-www-form-urlencoded', 'grant_type=password', 400, 'unsupported_grant_type'],
    ['a form without a grant type', 'application/x-www-form-urlencoded', '', 400, 'unsupported_grant_type'],
    ['JSON without a grant type', 'application/json', 'null', 400, 'unsupported_grant_type'],
    ['invalid JSON', 'application/json', 'grant_type=client_credentials', 400, 'invalid_request'],
    ['another content type', 'text/plain', 'grant_type=client_credentials', 415, 'invalid_request'],
    ['a body above the limit', 'application/x-www-form-urlencoded', 'x'.repeat(70_000), 413, 'invalid_request'],
  ])('refuses %s', async (_, contentType, body, status, error) => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    expect(await requestToken(one.url, undefined, { contentType, body })).toMatchObject({ status, body: { error } });
  });

  it('answers 405 to GET', async () => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    expect(await send(`${one.url}/incode/oauth/token`, { method: 'GET' })).toMatchObject({ status: 405 });
    expect(one.events).toMatchObject([{ endpoint: 'token', result: 'wrongMethod' }]);
  });
});

describe('a bearer token', () => {
  const now = () => Math.floor(Date.now() / 1_000);
  const signed = (change: (token: SignJWT) => SignJWT, key = signingKey(CLIENT)) =>
    change(
      new SignJWT()
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('temporal-incode/webhook')
        .setSubject(CLIENT.id)
        .setExpirationTime(now() + 60),
    ).sign(key);
  const unchanged = (token: SignJWT) => token;

  // The tokens of the next tests differ from this one in one point.
  it('accepts a token with our claims and our signature', async () => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    const authorization = `Bearer ${await signed(unchanged)}`;
    expect(await deliver(one.url, { headers: { authorization } })).toMatchObject({ status: 200 });
  });

  it.each<[string, () => string | Promise<string>]>([
    ['has expired', () => signed((token) => token.setExpirationTime(now() - 61))],
    [
      'never expires',
      () =>
        new SignJWT()
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer('temporal-incode/webhook')
          .setSubject(CLIENT.id)
          .sign(signingKey(CLIENT)),
    ],
    ['is signed with another key', () => signed(unchanged, signingKey({ ...CLIENT, secret: OLD }))],
    [
      'is signed with the secret itself',
      () => signed(unchanged, new TextEncoder().encode(CLIENT.secret.padEnd(32, '\0'))),
    ],
    ['is signed by another algorithm', async () => withHeader(await signed(unchanged), { alg: 'HS512' }, 'sha512')],
    ['names another client', () => signed((token) => token.setSubject('other'))],
    ['names another issuer', () => signed((token) => token.setIssuer('other'))],
    [
      'is not signed',
      () => new UnsecuredJWT({ sub: CLIENT.id, iss: 'temporal-incode/webhook', exp: now() + 60 }).encode(),
    ],
    ['has alg none and a signature', async () => withHeader(await signed(unchanged), { alg: 'none' })],
    [
      'was changed',
      async () =>
        (await signed(unchanged)).replace(
          /\..*\./,
          `.${part({ iss: 'temporal-incode/webhook', sub: CLIENT.id, exp: now() + 9_999 })}.`,
        ),
    ],
    ['is not a JWT', () => 'known-to-both-sides'],
    ['is empty', () => ''],
  ])('is refused if it %s', async (_, token) => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    const authorization = `Bearer ${await token()}`;
    const answer = await deliver(one.url, { headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(one.deliveries).toEqual([]);
  });

  it('another receiver accepts the token, also after a restart', async () => {
    const oauth = { clients: [CLIENT] };
    const first = await startReceiver({ oauth });
    const { body } = await requestToken(first.url);
    await first.receiver.close();
    await using second = await startReceiver({ oauth });
    const authorization = `Bearer ${body.access_token}`;
    expect(await deliver(second.url, { headers: { authorization } })).toMatchObject({ status: 200 });
  });

  it('a token is valid while its secret is configured, also next to a newer secret', async () => {
    const oldClient = { id: CLIENT.id, secret: OLD };
    await using before = await startReceiver({ oauth: { clients: [oldClient] } });
    await using meanwhile = await startReceiver({ oauth: { clients: [CLIENT, oldClient] } });
    await using after = await startReceiver({ oauth: { clients: [CLIENT] } });
    const { body } = await requestToken(before.url, basic(CLIENT.id, OLD));
    const headers = { authorization: `Bearer ${body.access_token}` };
    expect(await deliver(meanwhile.url, { headers })).toMatchObject({ status: 200 });
    expect(meanwhile.events).toMatchObject([{ credential: 'oauth.clients[1]' }]);
    expect(await requestToken(meanwhile.url)).toMatchObject({ status: 200 });
    expect(await deliver(after.url, { headers })).toMatchObject({ status: 401 });
  });

  it('refuses a token if only header secrets are configured', async () => {
    await using one = await startReceiver();
    const headers = { 'x-secret': '', authorization: `Bearer ${await signed(unchanged)}` };
    const answer = await deliver(one.url, { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  function part(value: object): string {
    return Buffer.from(JSON.stringify(value)).toString('base64url');
  }

  /** @returns the token with another header and a valid signature */
  function withHeader(token: string, header: object, hash = 'sha256'): string {
    const text = `${part(header)}.${token.split('.')[1]}`;
    return `${text}.${createHmac(hash, signingKey(CLIENT)).update(text).digest('base64url')}`;
  }
});

describe('createBearerTokens', () => {
  it('accepts a token for a minute after its expiry, because clocks differ', async () => {
    let now = 1_800_000_000_000;
    const tokens = createBearerTokens([CLIENT], 600_000, () => now);
    const { access_token, expires_in } = await tokens.issue(CLIENT);
    expect(expires_in).toBe(600);
    now += 659_000;
    expect(await tokens.verify(access_token)).toBe(0);
    now += 2_000;
    expect(await tokens.verify(access_token)).toBe(-1);
  });

  it('derives another key for each client and secret', () => {
    const keys = [CLIENT, { ...CLIENT, id: 'other' }, { ...CLIENT, secret: OLD }].map((one) =>
      Buffer.from(signingKey(one)).toString('hex'),
    );
    expect(new Set(keys).size).toBe(3);
  });
});

it('allowUnauthenticated accepts deliveries with any credential', async () => {
  await using one = await startReceiver({ allowUnauthenticated: true });
  expect(await deliver(one.url, { headers: { 'x-secret': 'whatever' } })).toMatchObject({ status: 200 });
  expect(one.deliveries).toHaveLength(1);
  expect(one.events.map((event) => 'credential' in event)).toEqual([false]);
});
