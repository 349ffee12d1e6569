import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import {
  type ConnectedOnboardingClient,
  type ConnectOptions,
  connectOnboardingClient,
  TemporalConfigurationError,
  TemporalUnavailableError,
} from '../../src/client/index.js';
import { type GrpcEndpointOptions, startGrpcEndpoint, tlsFile } from '../support/grpc-endpoint.js';
import { thrown } from '../support/thrown.js';

const API_KEY = 'api-key-that-must-not-be-seen';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-connect-'));
afterAll(() => rmSync(directory, { recursive: true }));

const opened: { close(): Promise<unknown> }[] = [];

function withoutEnvironment(): void {
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) vi.stubEnv(name, undefined);
  // Not the developer's own profile file.
  vi.stubEnv('TEMPORAL_CONFIG_FILE', join(directory, 'none.toml'));
}

beforeEach(withoutEnvironment);
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function endpoint(options?: GrpcEndpointOptions) {
  const started = await startGrpcEndpoint(options);
  opened.push({ close: () => started[Symbol.asyncDispose]() });
  return started;
}

async function connect(env: Record<string, string>, options?: ConnectOptions): Promise<ConnectedOnboardingClient> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const client = await connectOnboardingClient(options);
  opened.push(client);
  return client;
}

/** Sends a request that names a namespace and ignores its result. */
async function ask(client: ConnectedOnboardingClient): Promise<void> {
  await client.cancel('any').catch(() => undefined);
}

function profiles(text: string): string {
  const file = join(directory, `${Math.random()}.toml`);
  writeFileSync(file, text);
  return file;
}

const CA = { TEMPORAL_TLS_SERVER_CA_CERT_PATH: tlsFile('ca.pem') };

describe('connectOnboardingClient', () => {
  it('connects by TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE', async () => {
    const { address, requests } = await endpoint();
    await ask(await connect({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'from-environment' }));
    expect(requests.map(({ method }) => method)).toEqual(['GetSystemInfo', 'RequestCancelWorkflowExecution']);
    expect(requests[1]?.headers).toMatchObject({ 'temporal-namespace': 'from-environment' });
    expect(requests[1]?.headers.authorization).toBeUndefined();
  });

  it('sends TEMPORAL_API_KEY only over TLS', async () => {
    const { address, requests } = await endpoint({ certificate: 'server' });
    await ask(await connect({ TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY: API_KEY, ...CA }));
    expect(requests).toHaveLength(2);
    for (const { headers } of requests) expect(headers).toMatchObject({ authorization: `Bearer ${API_KEY}` });
  });

  it('sends the key in TEMPORAL_API_KEY_FILE, and the new one after the file has changed', async () => {
    const { address, requests } = await endpoint({ certificate: 'server' });
    const file = profiles(API_KEY);
    const client = await connect({ TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY_FILE: file, ...CA });
    await ask(client);
    expect(requests.at(-1)?.headers).toMatchObject({ authorization: `Bearer ${API_KEY}` });
    expect(inspect(client, { depth: 10 })).not.toContain(API_KEY);
    writeFileSync(file, 'another-key\n');
    await expect
      .poll(async () => {
        await ask(client);
        return requests.at(-1)?.headers.authorization;
      })
      .toBe('Bearer another-key');
  });

  it('connects with the client certificate and key in TEMPORAL_TLS_…_PATH', async () => {
    const { address, requests } = await endpoint({ certificate: 'server', clientCertificate: true });
    await connect({
      TEMPORAL_ADDRESS: address,
      ...CA,
      TEMPORAL_TLS_CLIENT_CERT_PATH: tlsFile('client.pem'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: tlsFile('client.key'),
    });
    expect(requests[0]?.client).toBe('the-client');
  });

  it('connects with the client certificate and key in TEMPORAL_TLS_…_DATA', async () => {
    const { address, requests } = await endpoint({ certificate: 'server', clientCertificate: true });
    await connect({
      TEMPORAL_ADDRESS: address,
      TEMPORAL_TLS_SERVER_CA_CERT_DATA: readFileSync(tlsFile('ca.pem'), 'utf8'),
      TEMPORAL_TLS_CLIENT_CERT_DATA: readFileSync(tlsFile('client.pem'), 'utf8'),
      TEMPORAL_TLS_CLIENT_KEY_DATA: readFileSync(tlsFile('client.key'), 'utf8'),
    });
    expect(requests[0]?.client).toBe('the-client');
  });

  it('accepts a certificate for the host in TEMPORAL_TLS_SERVER_NAME', async () => {
    const { address, requests } = await endpoint({ certificate: 'named' });
    await connect({ TEMPORAL_ADDRESS: address, ...CA, TEMPORAL_TLS_SERVER_NAME: 'temporal.test' });
    expect(requests).toHaveLength(1);
  });

  it('sends the headers in TEMPORAL_GRPC_META_…', async () => {
    const { address, requests } = await endpoint();
    await connect({ TEMPORAL_ADDRESS: address, TEMPORAL_GRPC_META_X_TEAM: 'onboarding' });
    expect(requests[0]?.headers).toMatchObject({ 'x-team': 'onboarding' });
  });

  it('connects by the profile file', async () => {
    const { address, requests } = await endpoint({ certificate: 'server' });
    const file = profiles(`[profile.default]
address = "${address}"
namespace = "from-file"
api_key = "${API_KEY}"
[profile.default.tls]
server_ca_cert_path = "${tlsFile('ca.pem')}"
`);
    await ask(await connect({ TEMPORAL_CONFIG_FILE: file }));
    expect(requests[1]?.headers).toMatchObject({
      authorization: `Bearer ${API_KEY}`,
      'temporal-namespace': 'from-file',
    });
  });

  it('connects by the profile in TEMPORAL_PROFILE, which variables override', async () => {
    const { address, requests } = await endpoint();
    const file = profiles(`[profile.default]
address = "127.0.0.1:1"
[profile.other]
address = "${address}"
namespace = "from-file"
`);
    const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'other' };
    await ask(await connect(env));
    await ask(await connect({ ...env, TEMPORAL_NAMESPACE: 'from-environment' }));
    const namespaces = requests.map(({ headers }) => headers['temporal-namespace']);
    expect(namespaces.filter(Boolean)).toEqual(['from-file', 'from-environment']);
  });

  it('prefers its options and sends no credentials to another address', async () => {
    const { address, requests } = await endpoint();
    const env = { TEMPORAL_ADDRESS: 'temporal.test:7233', TEMPORAL_NAMESPACE: 'a', TEMPORAL_API_KEY: API_KEY };
    await ask(await connect(env, { address, namespace: 'b' }));
    expect(requests[1]?.headers).toMatchObject({ 'temporal-namespace': 'b' });
    expect(requests[1]?.headers.authorization).toBeUndefined();
  });
});

describe('connectOnboardingClient with a problem', () => {
  async function failure(failing: Promise<unknown>): Promise<TemporalUnavailableError> {
    const error = await thrown(failing);
    expect(error).toBeInstanceOf(TemporalUnavailableError);
    expect(error.message).not.toContain(API_KEY);
    return error as unknown as TemporalUnavailableError;
  }

  it('leaves nothing open that keeps a process alive after a refused connection', async () => {
    const client = new URL('../../dist/client/index.js', import.meta.url);
    const script = `
      const { connectOnboardingClient } = await import('${client}');
      await connectOnboardingClient({ address: '127.0.0.1:1' }).catch(({ message }) => console.log(message));
      // Sockets close in a later turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      console.log(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length + ' timers');`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toMatch(/^Nothing is listening at 127\.0\.0\.1:1\..*\n0 timers\n$/s);
  });

  it('reports that nothing is listening at the address', async () => {
    expect(await failure(connect({ TEMPORAL_ADDRESS: '127.0.0.1:1' }))).toMatchObject({
      problem: 'notListening',
      retryable: true,
      address: '127.0.0.1:1',
      message: expect.stringMatching(/^Nothing is listening at 127\.0\.0\.1:1\. .*TEMPORAL_ADDRESS/),
    });
  });

  // In parallel, because each case takes the connect timeout of five seconds.
  it('reports a TLS mismatch with a hint at TEMPORAL_TLS', async () => {
    const cases: [what: string, options: GrpcEndpointOptions, env: Record<string, string>][] = [
      ['TLS to a server without TLS', {}, { TEMPORAL_TLS: 'true' }],
      ['no TLS to a server with TLS', { certificate: 'server' }, {}],
      ['a certificate of an unknown authority', { certificate: 'server' }, { TEMPORAL_TLS: 'true' }],
      ['no client certificate', { certificate: 'server', clientCertificate: true }, CA],
      ['a certificate of another host', { certificate: 'named' }, CA],
    ];
    const endpoints = await Promise.all(cases.map(([, options]) => endpoint(options)));
    const connecting = cases.map(([, , env], at) => {
      withoutEnvironment();
      // connect() reads the environment before its first await.
      return failure(connect({ TEMPORAL_ADDRESS: endpoints[at]?.address ?? '', ...env }));
    });
    const failures = await Promise.all(connecting);
    for (const [at, [what]] of cases.entries()) {
      const { address, requests } = endpoints[at] ?? { address: '', requests: [] };
      const expected = { problem: 'away', address, message: expect.stringContaining('TEMPORAL_TLS') };
      expect(failures[at], what).toMatchObject(expected);
      expect(requests, what).toEqual([]);
    }
  });

  it.each([
    ['an unknown API key', 16],
    ['an API key without permission', 7],
  ])('reports %s', async (_, code) => {
    const { address } = await endpoint({ certificate: 'server', status: () => code });
    const env = { TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY: API_KEY, TEMPORAL_NAMESPACE: 'theirs', ...CA };
    expect(await failure(connect(env))).toMatchObject({
      problem: 'refused',
      retryable: false,
      address,
      namespace: 'theirs',
      message: expect.stringMatching(/refuses the credentials for namespace theirs\. .*TEMPORAL_API_KEY/),
    });
  });

  it.each<[string, (client: ConnectedOnboardingClient) => Promise<unknown>]>([
    ['start', (client) => client.start({ interviewId: 'any' })],
    ['finish', (client) => client.finish({ interviewId: 'any' })],
    ['result', (client) => client.result('any')],
    ['state', (client) => client.state('any')],
    ['renewToken', (client) => client.renewToken('any', 'token')],
    ['extendDeadline', (client) => client.extendDeadline('any', '1 day')],
    [
      'statusChanged',
      (client) => client.statusChanged({ interviewId: 'any', onboardingStatus: 'FACE_VALIDATION_FINISHED' }),
    ],
    ['cancel', (client) => client.cancel('any')],
  ])('%s reports credentials that the server refuses after connecting', async (_, call) => {
    const { address } = await endpoint({ status: (method) => (method === 'GetSystemInfo' ? 0 : 7) });
    const client = await connect({ TEMPORAL_ADDRESS: address });
    expect(await failure(call(client))).toMatchObject({ problem: 'refused', address, namespace: 'default' });
  });

  it('reports an unknown namespace', async () => {
    const client = await connect({ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: 'not-there' });
    expect(await failure(client.start({ interviewId: 'any' }))).toMatchObject({
      problem: 'unknownNamespace',
      retryable: false,
      message: expect.stringMatching(/has no namespace not-there\. .*TEMPORAL_NAMESPACE/),
    });
  });

  it('reports a server that stops after connecting', async () => {
    const { address, [Symbol.asyncDispose]: stop } = await endpoint();
    const client = await connect({ TEMPORAL_ADDRESS: address });
    await stop();
    const soon = Date.now() + 1_000;
    const started = client.temporal.withDeadline(soon, () => client.start({ interviewId: 'any' }));
    expect(await failure(started)).toMatchObject({ problem: 'away', retryable: true, address });
    // Not AnswerPendingError, because the server may not have the session.
    expect(await failure(client.finish({ interviewId: 'any' }, { timeoutMs: 1_000 }))).toMatchObject({
      problem: 'away',
    });
  });

  it('reports the line of a TOML error in the profile file without its content', async () => {
    const file = join(directory, 'broken.toml');
    writeFileSync(file, `[profile.default]\nnamespace = "any"\napi_key = "${API_KEY}\n`);
    const wrong = await thrown(connect({ TEMPORAL_CONFIG_FILE: file }));
    expect(wrong).toBeInstanceOf(TemporalConfigurationError);
    expect(wrong.message).toMatch(/TOML.*line 3, column \d+/);
    expect(wrong.message).not.toContain(API_KEY);
  });

  it('reports an unknown profile without the API key', async () => {
    const wrong = await thrown(connect({ TEMPORAL_PROFILE: 'not-there', TEMPORAL_API_KEY: API_KEY }));
    expect(wrong).toBeInstanceOf(TemporalConfigurationError);
    expect(wrong.message).toContain('not-there');
    expect(wrong.message).not.toContain(API_KEY);
  });

  it.each([
    ['an API key with a line break', { TEMPORAL_API_KEY: `an\n${API_KEY}` }, {}],
    ['an API key that is not ASCII', { TEMPORAL_API_KEY: `é${API_KEY}` }, {}],
    ['a header that cannot be sent', { TEMPORAL_GRPC_META_X_TEAM: `é${API_KEY}` }, {}],
    ['an address with a login', { TEMPORAL_ADDRESS: `https://user:${API_KEY}@temporal.test:7233` }, {}],
    ['an address option with a login', {}, { address: `user:${API_KEY}@temporal.test:7233` }],
  ])('reports %s without its value, also in the cause', async (_, env, options) => {
    const wrong = await thrown(connect({ TEMPORAL_ADDRESS: (await endpoint()).address, ...env }, options));
    expect(wrong).toBeInstanceOf(TemporalConfigurationError);
    expect(inspect(wrong, { showHidden: true, depth: Number.POSITIVE_INFINITY })).not.toContain(API_KEY);
  });
});
