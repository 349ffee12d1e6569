import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, expect, it } from 'vitest';
import { renewApiKey } from '../../src/temporal/api-key.js';
import { loadTemporalConfig } from '../../src/temporal/environment.js';
import { startGrpcEndpoint, tlsFile } from '../support/grpc-endpoint.js';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-api-key-'));
afterAll(() => rmSync(directory, { recursive: true }));

it("a worker's connection sends the new key soon after its file has changed", async () => {
  await using endpoint = await startGrpcEndpoint({ certificate: 'server' });
  const file = join(directory, 'key');
  writeFileSync(file, 'first-key');
  const { apiKey, ...options } = loadTemporalConfig({
    TEMPORAL_ADDRESS: endpoint.address,
    TEMPORAL_API_KEY_FILE: file,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: tlsFile('ca.pem'),
  }).connectionOptions;
  const current = apiKey as () => string;
  const connection = await NativeConnection.connect({ ...options, apiKey: current() });
  const stop = renewApiKey(connection, current);
  const sent = async () => {
    await connection.workflowService.getSystemInfo({});
    return endpoint.requests.at(-1)?.headers.authorization;
  };
  try {
    expect(await sent()).toBe('Bearer first-key');
    writeFileSync(file, 'second-key');
    await expect.poll(sent).toBe('Bearer second-key');
  } finally {
    stop();
    await connection.close();
  }
});
