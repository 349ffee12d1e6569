import { Client, Connection } from '@temporalio/client';
import { connectOnboardingClient, OnboardingClient, TemporalConfigurationError } from 'temporal-incode/client';
import { encryptedDataConverter, keyRing } from 'temporal-incode/codec';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { workerEnvironment } from '../support/world.js';

const ELSEWHERE = 'temporal.example:7233';
const KEY = Buffer.alloc(32, 3).toString('base64');

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A lazy connection: it connects on its first request. */
function clientOf(address: string, options: Partial<ConstructorParameters<typeof Client>[0]> = {}): Client {
  return new Client({ connection: Connection.lazy({ address }), ...options });
}

async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(TemporalConfigurationError);
    return (error as Error).message;
  }
  return 'none';
}

describe('a client of a server on another machine', () => {
  it('refuses a client without keys before it connects', async () => {
    const message = await refusal(() => connectOnboardingClient({ address: ELSEWHERE }));
    expect(message).toContain(`Temporal server at ${ELSEWHERE} in clear text`);
    expect(message).toContain('TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE');
    vi.stubEnv('TEMPORAL_ADDRESS', ELSEWHERE);
    expect(await refusal(() => connectOnboardingClient())).toContain(ELSEWHERE);
  });

  it('refuses a client with invalid keys without showing them', async () => {
    vi.stubEnv('TEMPORAL_INCODE_ENCRYPTION_KEYS', KEY);
    const message = await refusal(() => connectOnboardingClient({ address: ELSEWHERE }));
    expect(message).toContain('must be written as id:base64');
    expect(message).not.toContain(KEY);
  });

  it("refuses the caller's own client, unless it has a codec or plaintext is allowed", async () => {
    expect(await refusal(() => new OnboardingClient({ client: clientOf(ELSEWHERE) }))).toContain(ELSEWHERE);
    const dataConverter = encryptedDataConverter(keyRing(`one:${KEY}`));
    expect(await refusal(() => new OnboardingClient({ client: clientOf(ELSEWHERE, { dataConverter }) }))).toBe('none');
    vi.stubEnv('TEMPORAL_INCODE_ALLOW_PLAINTEXT', 'true');
    expect(await refusal(() => new OnboardingClient({ client: clientOf(ELSEWHERE) }))).toBe('none');
  });
});

it("refuses a plaintext client on a worker's connection to another machine", async () => {
  // This machine, under a name that does not look like loopback.
  const address = inject('temporalAddress').replace('127.0.0.1', '127.1');
  const worker = await createWorker(
    readConfig({
      ...workerEnvironment('https://incode.example', 'held-to-encryption'),
      TEMPORAL_ADDRESS: address,
      TEMPORAL_INCODE_ENCRYPTION_KEYS: `one:${KEY}`,
    }),
  );
  const running = worker.run();
  const { connection } = worker;
  const dataConverter = encryptedDataConverter(keyRing(`one:${KEY}`));
  expect(await refusal(() => new OnboardingClient({ client: new Client({ connection }) }))).toContain(address);
  const encrypting = new Client({ connection, dataConverter });
  expect(await refusal(() => new OnboardingClient({ client: encrypting }))).toBe('none');
  worker.shutdown();
  await running;
});

it.each(['localhost:7233', '127.0.0.1:7233', '[::1]:7233'])(
  'a client of a server on %s needs no keys',
  async (address) => {
    expect(await refusal(() => new OnboardingClient({ client: clientOf(address) }))).toBe('none');
  },
);

describe('where encryption is required', () => {
  it('a client of this machine needs keys or a codec too', async () => {
    vi.stubEnv('TEMPORAL_INCODE_REQUIRE_ENCRYPTION', 'true');
    const address = '127.0.0.1:7233';
    for (const attempt of [
      () => connectOnboardingClient({ address }),
      () => new OnboardingClient({ client: clientOf(address) }),
    ]) {
      expect(await refusal(attempt)).toContain(
        'TEMPORAL_INCODE_REQUIRE_ENCRYPTION is true, but there are no encryption keys',
      );
    }
    const dataConverter = encryptedDataConverter(keyRing(`one:${KEY}`));
    expect(await refusal(() => new OnboardingClient({ client: clientOf(address, { dataConverter }) }))).toBe('none');
  });

  it('the option of a client requires it too', async () => {
    const message = await refusal(() =>
      connectOnboardingClient({ address: '127.0.0.1:7233', requireEncryption: true }),
    );
    expect(message).toContain('there are no encryption keys');
  });
});
