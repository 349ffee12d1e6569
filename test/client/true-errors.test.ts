import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  batchProgress,
  ClientClosedError,
  completeBatch,
  connectOnboardingClient,
  InvalidInputError,
  NamespaceNotSetUpError,
  OnboardingClient,
  pauseBatch,
  resumeBatch,
  startMany,
  stopBatch,
  TemporalIncodeError,
  TemporalUnavailableError,
} from '../../src/client/index.js';
import { startLocalTemporalServer } from '../../src/testing/index.js';
import { startGrpcEndpoint } from '../support/grpc-endpoint.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

/** Every method of the client. */
const METHODS: [name: string, call: (onboarding: OnboardingClient) => Promise<unknown>][] = [
  ['start', (onboarding) => onboarding.start({ interviewId: 'any' })],
  ['finish', (onboarding) => onboarding.finish({ interviewId: 'any' })],
  ['result', (onboarding) => onboarding.result('any')],
  ['state', (onboarding) => onboarding.state('any')],
  ['renewToken', (onboarding) => onboarding.renewToken('any', 'token')],
  ['extendDeadline', (onboarding) => onboarding.extendDeadline('any', '1 day')],
  ['statusChanged', (onboarding) => onboarding.statusChanged(STATUS)],
  ['statusChanged that starts', (onboarding) => onboarding.statusChanged(STATUS, {})],
  ['cancel', (onboarding) => onboarding.cancel('any')],
  ['startMany', async (onboarding) => onlyItem(startMany(onboarding, [{ interviewId: 'any' }]))],
  ['completeBatch', async (onboarding) => onlyItem(completeBatch(onboarding, [{ interviewId: 'any' }]))],
  ['batchProgress', (onboarding) => batchProgress(onboarding, 'any')],
  ['pauseBatch', (onboarding) => pauseBatch(onboarding, 'any')],
  ['resumeBatch', (onboarding) => resumeBatch(onboarding, 'any')],
  ['stopBatch', (onboarding) => stopBatch(onboarding, 'any')],
];
const STATUS = { interviewId: 'any', onboardingStatus: 'FACE_VALIDATION_FINISHED' };

/** Throws the error of an item. */
async function onlyItem(items: AsyncIterable<object>): Promise<void> {
  for await (const item of items) if ('error' in item) throw item.error;
}

const opened: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of opened.reverse()) await close();
});

async function clientOf(address: string, namespace = inject('temporalNamespace')): Promise<OnboardingClient> {
  const connection = Connection.lazy({ address });
  opened.push(() => connection.close());
  return new OnboardingClient({ client: new Client({ connection, namespace }) });
}

/** A port that was just free. Each client gets another one, because gRPC shares connections by address. */
async function freeAddress(): Promise<string> {
  await using proxy = await startTcpProxy('127.0.0.1:1');
  return proxy.address;
}

async function failureOf(call: Promise<unknown>): Promise<TemporalIncodeError> {
  const error = await call.then(
    (value) => new Error(`no failure, but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof TemporalIncodeError) return error;
  throw error;
}

describe('an address without a server', () => {
  it.each(METHODS)('%s reports at once that nothing is listening', async (_, call) => {
    const address = await freeAddress();
    const error = await failureOf(call(await clientOf(address)));
    expect(error).toBeInstanceOf(TemporalUnavailableError);
    expect(error).toMatchObject({ problem: 'notListening', retryable: true, mayBeTaken: false });
    expect(error.message).toMatch(/^Nothing is listening at 127\.0\.0\.1:\d+\. .*TEMPORAL_ADDRESS/);
  });

  it('connectOnboardingClient reports at once that nothing is listening', async () => {
    const error = await failureOf(connectOnboardingClient({ address: '127.0.0.1:1' }));
    expect(error).toMatchObject({ problem: 'notListening', mayBeTaken: false });
  });

  it('a client reaches a server that starts later at the address', async () => {
    const proxy = await startTcpProxy(inject('temporalAddress'));
    const { address } = proxy;
    await proxy[Symbol.asyncDispose]();
    const onboarding = await clientOf(address);
    expect(await failureOf(onboarding.state('any'))).toMatchObject({ problem: 'notListening' });
    await using late = await startTcpProxy(inject('temporalAddress'), Number(address.split(':')[1]));
    expect(late.address).toBe(address);
    expect((await failureOf(onboarding.state('nobody'))).name).toBe('SessionNotFoundError');
  });
});

describe('an unknown namespace', () => {
  it.each(METHODS)('%s reports an unknown namespace', async (_, call) => {
    const error = await failureOf(call(await clientOf(inject('temporalAddress'), 'not-there')));
    expect(error).toMatchObject({ problem: 'unknownNamespace', namespace: 'not-there' });
  });
});

describe('a namespace without our search attributes', () => {
  let onboarding: OnboardingClient;
  beforeAll(async () => {
    const server = await startLocalTemporalServer();
    opened.push(() => server.stop());
    const connection = await Connection.connect({ address: server.address });
    opened.push(() => connection.close());
    const workflowExecutionRetentionPeriod = { seconds: 86_400 as unknown as Long };
    await connection.workflowService.registerNamespace({ namespace: 'bare', workflowExecutionRetentionPeriod });
    onboarding = await clientOf(server.address, 'bare');
    // All parts of the server know the namespace within a second.
    while ((await failureOf(onboarding.state('any'))).name !== 'SessionNotFoundError') await sleep(100);
  });

  it.each(METHODS.filter(([name]) => /start|finish|batch/i.test(name)))(
    '%s names the setup command if the search attributes are missing',
    async (_, call) => {
      const error = await failureOf(call(onboarding));
      expect(error).toBeInstanceOf(NamespaceNotSetUpError);
      expect(error.message).toMatch(/temporal-incode setup --address [\d.]+:\d+ --namespace bare$/);
    },
  );
});

describe('a refusal by the server', () => {
  it.each(METHODS)('%s reports that the server refuses the caller', async (_, call) => {
    await using endpoint = await startGrpcEndpoint({ status: () => 7 });
    expect(await failureOf(call(await clientOf(endpoint.address)))).toMatchObject({
      problem: 'refused',
      retryable: false,
    });
  });

  // Not implemented, malformed, and failed inside the server.
  it.each(METHODS.flatMap(([name, call]) => [12, 3, 13].map((status) => [name, status, call] as const)))(
    '%s throws an error of this package for gRPC status %i',
    async (_, status, call) => {
      await using endpoint = await startGrpcEndpoint({ status: () => status });
      expect((await failureOf(call(await clientOf(endpoint.address)))).name).toBe('TemporalRequestError');
    },
  );
});

describe('a closed client', () => {
  it.each(METHODS)('%s throws ClientClosedError', async (_, call) => {
    const onboarding = await connectOnboardingClient({ address: inject('temporalAddress') });
    await onboarding.close();
    const error = await failureOf(call(onboarding));
    expect(error).toBeInstanceOf(ClientClosedError);
    expect(error.message).toContain(`close() has ended its connection to Temporal at ${inject('temporalAddress')}`);
  });

  it('close can be called twice', async () => {
    const onboarding = await connectOnboardingClient({ address: inject('temporalAddress') });
    await onboarding.close();
    await onboarding.close();
  });
});

describe('a server that stops during a request', () => {
  // In parallel, because each request takes as long as the SDK's retries.
  it('every method reports the server as unreachable', async () => {
    const proxy = await startTcpProxy(inject('temporalAddress'));
    const onboarding = await connectOnboardingClient({ address: proxy.address });
    expect((await failureOf(onboarding.state('nobody'))).name).toBe('SessionNotFoundError');
    await proxy[Symbol.asyncDispose]();
    const single = METHODS.filter(([name]) => name !== 'completeBatch');
    const failures = single.map(([, call]) => failureOf(call(onboarding)));
    for (const [at, failure] of (await Promise.all(failures)).entries()) {
      expect(failure, single[at]?.[0]).toMatchObject({ problem: 'notListening', retryable: true, mayBeTaken: true });
    }
    await onboarding.close();
  });

  it('closing the client between two retries does not crash the process', async () => {
    const proxy = await startTcpProxy(inject('temporalAddress'));
    const onboarding = await connectOnboardingClient({ address: proxy.address });
    await proxy[Symbol.asyncDispose]();
    const asked = failureOf(onboarding.state('any'));
    await sleep(500);
    await onboarding.close();
    expect(await asked).toBeInstanceOf(TemporalIncodeError);
  });
});

describe('an invalid timeout', () => {
  const TIMEOUTS = [-1, 0, Number.NaN, Number.NEGATIVE_INFINITY, Number.MAX_VALUE, '30' as unknown as number];

  it.each(TIMEOUTS)('every method refuses the timeout %s before it sends anything', async (timeoutMs) => {
    const onboarding = await clientOf('127.0.0.1:1');
    const calls = [
      onboarding.finish({ interviewId: 'any' }, { timeoutMs }),
      onboarding.result('any', { timeoutMs }),
      onboarding.renewToken('any', 'token', { timeoutMs }),
      onboarding.extendDeadline('any', '1 day', { timeoutMs }),
    ];
    for (const error of await Promise.all(calls.map(failureOf))) {
      expect(error).toBeInstanceOf(InvalidInputError);
      expect(error.message).toBe('timeoutMs must be a number of milliseconds above 0, at most 3,650 days, or Infinity');
    }
  });

  it.each([-1, Number.NaN])('batch functions refuse the timeout %s', async (ms) => {
    const onboarding = await clientOf('127.0.0.1:1');
    expect(await failureOf(stopBatch(onboarding, 'any', { waitMs: ms }))).toMatchObject({ field: 'waitMs' });
    expect(() => completeBatch(onboarding, [], { progressIntervalMs: ms })).toThrow('progressIntervalMs must be');
  });
});
