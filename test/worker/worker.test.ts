import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const GOOD = { INCODE_BASE_URL: 'http://127.0.0.1:9', INCODE_API_KEY: 'api-key-that-must-not-be-seen' };

/** A real worker process, started as an operator does. */
function startWorker(env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, 'worker'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = text(child.stderr);
  const ended = once(child, 'exit').then(async ([code]) => ({ code, log: await log }));
  return { child, ended };
}

describe('temporal-incode worker', () => {
  it('names every invalid variable and exits with 2', async () => {
    const { code, log } = await startWorker({ INCODE_BASE_URL: 'nowhere', INCODE_TIMEOUT: 'long' }).ended;
    expect(code).toBe(2);
    for (const name of ['INCODE_BASE_URL', 'INCODE_API_KEY', 'INCODE_TIMEOUT']) expect(log).toContain(name);
    expect(log).not.toContain('    at ');
  });

  it('names the server that it cannot reach and exits with 1', async () => {
    const { code, log } = await startWorker({ ...GOOD, TEMPORAL_ADDRESS: '127.0.0.1:1' }).ended;
    expect(code).toBe(1);
    expect(log).toContain('no connection to Temporal at 127.0.0.1:1. Check that it runs, and TEMPORAL_ADDRESS');
    expect(log).not.toContain(GOOD.INCODE_API_KEY);
  });

  it('exits with 0 after SIGTERM', async () => {
    const { child, ended } = startWorker({ ...GOOD, TEMPORAL_ADDRESS: inject('temporalAddress') });
    let seen = '';
    child.stderr.on('data', (chunk) => {
      seen += chunk;
    });
    await expect.poll(() => seen).toContain('Worker ready');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });
});

describe('temporal-incode worker in a namespace without search attributes', () => {
  const namespace = `bare-${Date.now()}`;
  let connection: Connection;

  beforeAll(async () => {
    connection = await Connection.connect({ address: inject('temporalAddress') });
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
  });
  afterAll(() => connection.close());

  it('prints the command that registers them and exits with 1', async () => {
    const registered = () => connection.workflowService.describeNamespace({ namespace }).catch(() => null);
    await expect.poll(registered).toBeTruthy();
    const env = { ...GOOD, TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: namespace };
    const { code, log } = await startWorker(env).ended;
    expect(code).toBe(1);
    expect(log).toContain(
      'temporal operator search-attribute create --name IncodeStage --type Keyword --name IncodeOutcome --type Keyword',
    );
    expect(log).toContain(`--namespace ${namespace}`);
  });
});
