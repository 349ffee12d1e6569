import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../src/gateway/operations.js';
import { untilStage } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { ask, makeToken, startGateway, type TestGateway } from './support.js';

const run = promisify(execFile);
const FILE = new URL('../../schema/openapi.json', import.meta.url);
const { token, entry } = makeToken('all', 'read', 'start', 'operate');

let world: TestWorld;
let gateway: TestGateway;
let description: {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string }>>;
  components: object;
};
beforeAll(async () => {
  description = JSON.parse(await readFile(FILE, 'utf8'));
  world = await startTestWorld();
  gateway = await startGateway({ client: world.onboarding, tokens: () => [entry] });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

it('schema/openapi.json is what npm run schema writes', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-openapi-'));
  const file = join(directory, 'openapi.json');
  await run(process.execPath, [fileURLToPath(new URL('../../scripts/openapi.js', import.meta.url)), file]);
  expect(await readFile(file, 'utf8')).toBe(await readFile(FILE, 'utf8'));
  await rm(directory, { recursive: true });
});

it('schema/openapi.json has every operation', () => {
  expect(description.openapi).toBe('3.1.0');
  const described = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => [operationId, method.toUpperCase(), path]),
  );
  const operations = Object.entries(OPERATIONS).map(([name, { method, path }]) => [name, method, path]);
  expect(described.sort()).toEqual(operations.sort());
});

it('the gateway serves it without a token', async () => {
  const { status, body } = await ask(gateway, 'GET /v1/openapi.json');
  expect([status, body]).toEqual([200, description]);
});

describe('answers of the gateway are as described:', () => {
  function expectType(name: string, body: unknown): void {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const validate = ajv.compile({ ...description, $ref: `#/components/schemas/${name}` });
    validate(body);
    expect(validate.errors ?? []).toEqual([]);
  }

  it('a session, from its start to its outcome', async () => {
    const { interviewId, token: sessionToken } = await world.simulator.openSession();
    const path = `/v1/sessions/${interviewId}`;
    const get = async () => (await ask(gateway, `GET ${path}`, { token })).body;
    expectType('StartedSession', (await ask(gateway, 'POST /v1/sessions', { token, body: { interviewId } })).body);
    await untilStage(world, interviewId, 'needsToken');
    expectType('PendingSession', (await ask(gateway, `POST ${path}/finish?timeout=100ms`, { token })).body);
    expectType('SessionView', await get());
    await ask(gateway, `POST ${path}/token`, { token, body: { sessionToken } });
    await world.onboarding.result(interviewId);
    expectType('FinishedSession', (await ask(gateway, `POST ${path}/finish`, { token })).body);
    const ended = await get();
    expectType('SessionView', ended);
    expect(ended.result.outcome).toBe('approved');
    expectType('SessionList', (await ask(gateway, 'GET /v1/sessions?limit=5', { token })).body);
  });

  it('a problem', async () => {
    expectType('Problem', (await ask(gateway, 'GET /v1/sessions/nobody', { token })).body);
  });

  it('lists, counts and the caller', async () => {
    expectType('BatchList', (await ask(gateway, 'GET /v1/batches', { token })).body);
    expectType('PersonList', (await ask(gateway, 'GET /v1/people', { token })).body);
    expectType('Overview', (await ask(gateway, 'GET /v1/overview', { token })).body);
    expectType('About', (await ask(gateway, 'GET /v1/about', { token })).body);
  });

  it('an answer of another type is noticed', () => {
    expect(() => expectType('SessionView', { interviewId: 7 })).toThrow();
  });
});
