import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { gatewayTokenFile } from '../../src/config/gateway-tokens.js';
import { newToken } from '../../src/gateway/new-token.js';
import { OPERATIONS } from '../../src/gateway/operations.js';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { ask, makeToken, problemName, startGateway, type TestGateway } from './support.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => vi.useRealTimers());

const withTokens = (...tokens: { entry: ReturnType<typeof makeToken>['entry'] }[]): Promise<TestGateway> => {
  const entries = tokens.map(({ entry }) => entry);
  return startGateway({ client: world.onboarding, tokens: () => entries, requestsPerSecond: 1_000 });
};

describe('scopes', () => {
  const MATRIX = Object.entries(OPERATIONS).flatMap(([name, { method, path, scopes }]) =>
    (['read', 'start', 'operate'] as const).map(
      (scope) =>
        [
          name,
          scope,
          `${method} ${path.replace(/\{\w+\}/g, 'nobody')}${method === 'GET' ? '?unknown=1' : ''}`,
          scopes.includes(scope as never),
        ] as const,
    ),
  );

  it.each(MATRIX)(
    '%s with the scope %s is permitted only if its operation lists it',
    async (_, scope, what, permitted) => {
      const { token, entry } = makeToken('one', scope);
      await using gateway = await withTokens({ entry });
      // An unknown field or parameter is refused after the scope was checked, so that nothing happens.
      const body = what.startsWith('POST') ? { body: { unknown: true } } : {};
      const answer = await ask(gateway, what, { token, ...body });
      if (permitted) expect(answer.status).not.toBe(403);
      else expect([answer.status, problemName(answer)]).toEqual([403, 'Forbidden']);
    },
  );
});

describe('tokens', () => {
  const token = makeToken('support', 'read');

  it.each([
    ['none', undefined],
    ['another token', `Bearer ${makeToken('other', 'read').token}`],
    ['a part of the token', `Bearer ${token.token.slice(0, -1)}`],
    ['its hash', `Bearer ${token.entry.sha256}`],
    ['another scheme', `Basic ${token.token}`],
    ['a long text', `Bearer ${'x'.repeat(4_000)}`],
    ['nothing after the scheme', 'Bearer '],
  ])('refuses %s', async (_, authorization) => {
    await using gateway = await withTokens(token);
    const answer = await ask(gateway, 'GET /v1/sessions', { headers: authorization ? { authorization } : {} });
    expect([answer.status, problemName(answer)]).toEqual([401, 'Unauthorized']);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(gateway.events).toMatchObject([{ caller: 'nobody', httpStatus: 401 }]);
  });

  it('are not needed for health', async () => {
    await using gateway = await withTokens(token);
    expect((await ask(gateway, 'GET /healthz')).body).toEqual({ alive: true });
    expect((await ask(gateway, 'GET /readyz')).body).toEqual({ ready: true });
  });

  it('follow their file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gateway-tokens-'));
    const file = join(directory, 'tokens');
    const [first, second] = [newToken('support', ['read']), newToken('support', ['read'])];
    await writeFile(file, `# made today\n${first.line}\n`);
    const warnings: string[] = [];
    const tokens = gatewayTokenFile(file, (warning) => warnings.push(warning));
    await using gateway = await startGateway({ client: world.onboarding, tokens: () => tokens.latest() });
    const status = async ({ token: sent }: { token: string }) =>
      (await ask(gateway, 'GET /v1/sessions', { token: sent })).status;
    expect([await status(first), await status(second)]).toEqual([200, 401]);
    await writeFile(file, `${first.line}\n${second.line}\n`);
    expect([await status(first), await status(second)]).toEqual([200, 200]);
    await writeFile(file, second.line);
    expect([await status(first), await status(second)]).toEqual([401, 200]);
    await writeFile(file, `support read ${second.token}`);
    expect([await status(first), await status(second)]).toEqual([401, 200]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain(second.token);
    await writeFile(file, '# nobody\n');
    expect([await status(first), await status(second)]).toEqual([401, 401]);
    expect(warnings).toHaveLength(1);
    await rm(directory, { recursive: true });
  });
});

describe('the rate limit', () => {
  it('counts each token by itself, and says when to ask again', async () => {
    const [one, other] = [makeToken('one', 'read'), makeToken('other', 'read')];
    const tokens = () => [one.entry, other.entry];
    await using gateway = await startGateway({ client: world.onboarding, tokens, requestsPerSecond: 3 });
    const of = ({ token }: { token: string }) => ask(gateway, 'GET /v1/sessions/nobody', { token });
    const answers = await Promise.all(Array.from({ length: 40 }, () => of(one)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every((answer) => problemName(answer) === 'TooManyRequests')).toBe(true);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect((await of(other)).status).toBe(404);
  });

  it('also holds for requests without a valid token', async () => {
    await using gateway = await withTokens(makeToken('one', 'read'));
    const guesses = Array.from({ length: 200 }, () => ask(gateway, 'GET /v1/sessions', { token: 'guess' }));
    const statuses = new Set((await Promise.all(guesses)).map(({ status }) => status));
    expect(statuses).toEqual(new Set([401, 429]));
  });
});

describe('a gateway without tokens', () => {
  it('permits everything to requests from this machine', async () => {
    await using gateway = await startGateway({ client: world.onboarding, tokens: null });
    expect((await ask(gateway, 'GET /v1/sessions')).status).toBe(200);
    expect(gateway.events).toMatchObject([{ caller: 'anybody' }]);
  });

  it.each([
    ['another page in the browser', { origin: 'https://evil.example' }, 403, 'Forbidden'],
    ['a page without an origin', { origin: 'null' }, 403, 'Forbidden'],
  ])('refuses %s', async (_, headers, status, name) => {
    await using gateway = await startGateway({ client: world.onboarding, tokens: null });
    const answer = await ask(gateway, 'GET /v1/sessions', { headers });
    expect([answer.status, problemName(answer)]).toEqual([status, name]);
  });

  it('accepts its own page', async () => {
    await using gateway = await startGateway({ client: world.onboarding, tokens: null });
    expect((await ask(gateway, 'GET /v1/sessions', { headers: { origin: gateway.url } })).status).toBe(200);
  });
});
