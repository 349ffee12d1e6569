import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../../src/contract/index.js';
import {
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startLocalTemporalServer,
} from '../../../src/testing/index.js';
import { freePort } from '../../../src/testing/server/process.js';
import { startNewServer } from '../../support/new-server.js';

let directory: string;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-server-'));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: LocalTemporalServerOptions = {}): Promise<LocalTemporalServer> {
  const server = await startNewServer(options);
  ends.push(() => server.kill());
  return server;
}

async function clientOf({ address, namespace }: { address: string; namespace: string }): Promise<Client> {
  const connection = await Connection.connect({ address });
  ends.push(() => connection.close());
  return new Client({ connection, namespace });
}

const portOf = ({ address }: LocalTemporalServer) => Number(address.split(':')[1]);

function isAlive(pid: number | null): boolean {
  if (pid === null) throw new Error('the server has no process id');
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('startLocalTemporalServer reports address, version, source and process id', async () => {
  const server = await start();
  expect(server).toMatchObject({ namespace: 'default', uiUrl: null });
  expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(server.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(['TEMPORAL_CLI_PATH', 'cache', 'PATH', 'download']).toContain(server.source);
  expect(isAlive(server.pid)).toBe(true);
});

it('stop ends the server and can be called twice', async () => {
  const server = await start();
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  await server.stop();
});

it('uiPort starts the Web UI', async () => {
  const server = await start({ uiPort: 0 });
  await expect.poll(async () => (await fetch(`${server.uiUrl}`)).status).toBe(200);
});

it('dataDir keeps workflows and search attributes after kill', async () => {
  const options = { dataDir: join(directory, 'data') };
  const first = await start(options);
  const started = await (await clientOf(first)).workflow.start('anything', {
    workflowId: 'kept',
    taskQueue: 'nobody',
    searchAttributes: { [SEARCH_ATTRIBUTES.batchId]: ['b1'] },
  });
  await first.kill();

  const second = await start({ ...options, port: portOf(first) });
  expect(second.address).toBe(first.address);
  const described = await (await clientOf(second)).workflow.getHandle('kept').describe();
  expect(described).toMatchObject({ runId: started.firstExecutionRunId, status: { name: 'RUNNING' } });
  expect(described.searchAttributes).toEqual({ [SEARCH_ATTRIBUTES.batchId]: ['b1'] });
});

it('dataDir has one file for each version of the CLI', async () => {
  const dataDir = join(directory, 'data');
  await start({ dataDir });
  expect(await readdir(dataDir)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^temporal-\d+\.\d+\.\d+\.db$/)]),
  );
});

it('registers search attributes that an existing database lacks', async () => {
  const options = { dataDir: join(directory, 'data') };
  await (await start(options)).stop();
  const client = await clientOf(await start({ ...options, searchAttributes: ['TheirTeam'] }));
  await client.workflow.start('anything', {
    workflowId: 'theirs',
    taskQueue: 'nobody',
    searchAttributes: { TheirTeam: ['blue'], [SEARCH_ATTRIBUTES.stage]: ['finishing'] },
  });
  const count = async () => (await client.workflow.count("TheirTeam = 'blue' AND IncodeStage = 'finishing'")).count;
  await expect.poll(count).toBe(1);
});

it.each([
  ['by default for 30 days', {}, 30],
  ['for retentionDays', { retentionDays: 2 }, 2],
])('dataDir keeps closed workflows %s', async (_, options, days) => {
  const server = await start({ dataDir: join(directory, 'data'), ...options });
  const { connection } = await clientOf(server);
  const { config } = await connection.workflowService.describeNamespace({ namespace: server.namespace });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(days * 24 * 3600);
});

it('skips time only with the option timeSkipping', async () => {
  const startSkipping = async (server: LocalTemporalServer) => {
    const { connection } = await clientOf(server);
    return connection.workflowService.startWorkflowExecution({
      namespace: server.namespace,
      workflowId: 'skipping',
      workflowType: { name: 'anything' },
      taskQueue: { name: 'nobody' },
      requestId: 'one',
      timeSkippingConfig: { enabled: true },
    });
  };
  await expect(startSkipping(await start({ timeSkipping: true }))).resolves.toMatchObject({ started: true });
  await expect(startSkipping(await start())).rejects.toThrow('UNIMPLEMENTED');
});

it('refuses a port that is taken', async () => {
  const owner = await start();
  await expect(start({ port: portOf(owner) })).rejects.toThrow(
    `Port ${portOf(owner)} is taken. Use another one. Tests use a Temporal server that runs there if TEMPORAL_ADDRESS=${owner.address}.`,
  );
});

/** A Temporal CLI whose server ends during its start. It notes each start in a file. */
async function brokenCli(message: string): Promise<{ path: string; starts(): Promise<number> }> {
  const [path, notes] = [join(directory, 'temporal'), join(directory, 'starts')];
  const body = `[ "$1" = --version ] && echo temporal version 1.9.1 && exit
echo started >> '${notes}'
echo "${message}" >&2
exit 3`;
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return { path, starts: async () => (await readFile(notes, 'utf8')).trim().split('\n').length };
}

it.each([
  ['once, and rejects with its output', 'no disk left', 1],
  ['three times if another process takes its ports', 'listen tcp 127.0.0.1:1: bind: address already in use', 3],
])('a server that ends during its start is started %s', async (_, message, times) => {
  const { path, starts } = await brokenCli(message);
  await expect(start({ env: { TEMPORAL_CLI_PATH: path } })).rejects.toThrow(
    `The Temporal server ended (exit code 3):\n${message}`,
  );
  expect(await starts()).toBe(times);
});

it.runIf(process.platform !== 'win32')(
  'the server ends with the process that started it, also after SIGKILL',
  async () => {
    // `sleep` writes nothing. A program with output would end by itself once nobody reads it.
    const module = new URL('../../../dist/testing/server/process.js', import.meta.url).href;
    const script = `const { startServerProcess } = await import('${module}');
    console.log(startServerProcess('sleep', ['600']).pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    ends.push(async () => parent.kill('SIGKILL'));
    const [line] = await once(createInterface(parent.stdout), 'line');
    const pid = Number(line);
    ends.push(async () => isAlive(pid) && process.kill(pid, 'SIGKILL'));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  },
);

it('uses the server of TEMPORAL_ADDRESS and leaves it running', async () => {
  const address = inject('temporalAddress');
  const namespace = inject('temporalNamespace');
  // No other way would lead to a server.
  const env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, TEMPORAL_CLI_PATH: '/missing' };
  const server = await startLocalTemporalServer({ env });
  expect(server).toMatchObject({ address, namespace, source: 'TEMPORAL_ADDRESS', uiUrl: null, pid: null });
  await server.stop();
  await server.kill();
  expect((await startLocalTemporalServer({ env })).version).toBe(server.version);
});

it('rejects and starts no server if nothing listens at TEMPORAL_ADDRESS', async () => {
  const port = await freePort();
  const env = { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
  await expect(startLocalTemporalServer({ env })).rejects.toThrow(
    `No server answers for namespace default at TEMPORAL_ADDRESS 127.0.0.1:${port}`,
  );
});

it('names the namespace if the server of TEMPORAL_ADDRESS lacks it', async () => {
  const env = { TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: 'not-there' };
  await expect(startLocalTemporalServer({ env })).rejects.toThrow('No server answers for namespace not-there');
});
