import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ask } from '../gateway/support.js';
import { run } from '../support/cli.js';
import { startGatewayProcess } from '../support/gateway-process.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let directory: string;
let world: TestWorld;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-gateway-'));
  world = await startTestWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function newToken(...args: string[]): Promise<{ token: string; line: string }> {
  const { stdout } = await run(['gateway', '--new-token', 'billing', ...args, '--json']);
  return JSON.parse(stdout);
}

const env = () => ({ TEMPORAL_ADDRESS: inject('temporalAddress') });

it('serves sessions to a caller whose token was made by --new-token', async () => {
  const { token, line } = await newToken('--scope', 'start', 'read');
  const file = join(directory, 'tokens');
  await writeFile(file, line);
  await using gateway = await startGatewayProcess(['--task-queue', world.taskQueue], {
    ...env(),
    GATEWAY_TOKENS_FILE: file,
    GATEWAY_METRICS_ADDRESS: '127.0.0.1:0',
  });
  const { interviewId, token: sessionToken } = await world.simulator.openSession();
  const path = `/v1/sessions/${interviewId}`;
  const finished = await ask(gateway, `POST ${path}/finish`, { token, body: { sessionToken } });
  expect([finished.status, finished.body.answer?.action]).toEqual([200, 'approved']);
  expect((await ask(gateway, `GET ${path}`, { token })).body.interviewId).toBe(interviewId);
  expect((await ask(gateway, `DELETE ${path}`, { token })).status).toBe(403);
  expect((await ask(gateway, 'GET /readyz')).body).toEqual({ ready: true });
  await expect.poll(() => gateway.events()).toHaveLength(3);
  expect(gateway.events()).toMatchObject([
    { operation: 'finishSession', caller: 'billing', interviewId, httpStatus: 200 },
    { operation: 'getSession', caller: 'billing', interviewId, httpStatus: 200 },
    { operation: 'cancelSession', caller: 'billing', httpStatus: 403, problem: 'Forbidden' },
  ]);
  const metricsUrl = /"url":"(http[^"]+)"/.exec(gateway.output().split('Serving metrics')[0] ?? '')?.[1];
  const metrics = await (await fetch(`${metricsUrl}/metrics`)).text();
  expect(metrics).toContain('incode_gateway_requests_total{operation="finishSession",status="200"} 1');
  expect(await gateway.stop()).toBe(0);
  for (const secret of [token, sessionToken]) expect(gateway.output()).not.toContain(secret);
});

it('ends TLS with the certificate of its files', async () => {
  const tls = (name: string) => new URL(`../support/tls/${name}`, import.meta.url).pathname;
  await using gateway = await startGatewayProcess([], {
    ...env(),
    GATEWAY_TLS_CERT_FILE: tls('server.pem'),
    GATEWAY_TLS_KEY_FILE: tls('server.key'),
  });
  expect(gateway.url).toMatch(/^https:/);
  const ca = await readFile(tls('ca.pem'));
  const body = await new Promise<string>((resolve, reject) => {
    get(`${gateway.url}/healthz`, { ca }, (response) => resolve(text(response))).on('error', reject);
  });
  expect(JSON.parse(body)).toEqual({ alive: true });
});

describe('the command gateway', () => {
  it('prints a new token once, with its line for the file', async () => {
    const { code, stdout } = await run(['gateway', '--new-token', 'support', '--scope', 'read', '--scope', 'operate']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}tig_[\w-]{43}\n/);
    expect(stdout).toMatch(/\n {2}support read,operate sha256:[0-9a-f]{64}\n$/);
  });

  it.each([
    ['a token without a scope', ['--new-token', 'a'], {}, '--scope: read, start, operate'],
    ['a name that no line can have', ['--new-token', 'a b', '--scope', 'read'], {}, '--new-token must have'],
    ['an unknown scope', ['--new-token', 'a', '--scope', 'all'], {}, 'read, start, operate'],
    ['a scope without a token', ['--scope', 'read'], {}, '--scope belongs to --new-token'],
    [
      'a host that others reach, without tokens and TLS',
      [],
      { GATEWAY_HOST: '0.0.0.0' },
      'GATEWAY_TOKENS_FILE is required',
    ],
  ])('exits with 2 for %s', async (_, args, more, why) => {
    const { code, stdout, stderr } = await run(['gateway', ...args], '', { ...env(), ...more } as Record<
      string,
      string
    >);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});
