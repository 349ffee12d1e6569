import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, inject, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { healthOf } from '../../src/monitoring/health.js';
import { loadPromClient } from '../../src/monitoring/optional-peer.js';
import { startMonitoringServer } from '../../src/monitoring/server.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { spawnWorker } from '../support/monitored-worker.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { API_KEY } from '../support/world.js';

const NOWHERE = 'http://127.0.0.1:9';
const READY = { status: 200, body: '{"ready":true}' };
const ALIVE = { status: 200, body: '{"alive":true}' };

describe('health of a worker process', () => {
  it('is ready while the worker polls, and alive but not ready while it drains', async () => {
    await using simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
    await using worker = spawnWorker(simulator.url);
    await expect.poll(() => worker.ask('/readyz')).toEqual(READY);
    expect(await worker.ask('/healthz')).toEqual(ALIVE);

    const connection = await Connection.connect({ address: inject('temporalAddress') });
    const client = new Client({ connection, namespace: inject('temporalNamespace') });
    const onboarding = new OnboardingClient({ client, taskQueue: worker.taskQueue });
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'latency', ms: 15_000 });
    await onboarding.start({ interviewId, sessionToken: token });
    await connection.close();
    await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
    worker.child.kill('SIGTERM');
    await expect.poll(() => worker.ask('/readyz')).toMatchObject({ status: 503 });
    expect(JSON.parse((await worker.ask('/readyz')).body)).toEqual({
      ready: false,
      reason: expect.stringMatching(/^A worker is [A-Z]+$/),
    });
    expect(await worker.ask('/healthz')).toEqual(ALIVE);
    expect((await worker.ask('/metrics')).status).toBe(200);
    expect(await worker.ended).toBe(0);
    expect(await worker.ask('/healthz')).toMatchObject({ status: 0 });
  });

  it('is not ready while Temporal does not answer, and ready again afterwards', async () => {
    await using temporal = await startTcpProxy(inject('temporalAddress'));
    await using worker = spawnWorker(NOWHERE, { TEMPORAL_ADDRESS: temporal.address });
    await expect.poll(() => worker.ask('/readyz')).toEqual(READY);
    temporal.cut();
    await expect
      .poll(() => worker.ask('/readyz'))
      .toEqual({ status: 503, body: '{"ready":false,"reason":"Temporal does not answer"}' });
    expect(await worker.ask('/healthz')).toEqual(ALIVE);
    temporal.mend();
    await expect.poll(() => worker.ask('/readyz')).toEqual(READY);
  });

  it('exits with 1 and names the variable if its metrics address is in use', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    await using worker = spawnWorker(NOWHERE, { WORKER_METRICS_ADDRESS: address });
    expect(await worker.ended).toBe(1);
    expect(worker.log()).toContain(
      `WORKER_METRICS_ADDRESS: ${address} is used by another process. Choose another address.`,
    );
  });

  it('serves nothing without WORKER_METRICS_ADDRESS', async () => {
    await using worker = spawnWorker(NOWHERE, { WORKER_METRICS_ADDRESS: '' });
    await expect.poll(() => worker.log()).toContain('Worker ready');
    expect(worker.log()).not.toContain('Serving');
  });
});

describe('startMonitoringServer', () => {
  const metrics = { contentType: 'text/plain', text: async () => 'up 1\n' };
  const at = { host: '127.0.0.1', port: 0, variable: 'SOME_ADDRESS' };

  it.each([
    ['GET', '/metrics', 200, 'up 1\n'],
    ['GET', '/metrics?name=up', 200, 'up 1\n'],
    ['HEAD', '/metrics', 200, ''],
    ['POST', '/metrics', 405, '{"error":"Use GET"}'],
    ['GET', '/', 404, '{"error":"There is nothing at this path"}'],
    ['GET', '/healthz', 200, '{"alive":true}'],
    ['GET', '/readyz', 503, '{"ready":false,"reason":"It is starting"}'],
  ])('answers %s %s with %i', async (method, path, status, body) => {
    const health = async () => ({ alive: true, ready: false, reason: 'It is starting' });
    const server = await startMonitoringServer({ ...at, metrics, health });
    const response = await fetch(server.url + path, { method });
    expect({ status: response.status, body: await response.text() }).toEqual({ status, body });
    await server.close();
  });

  it('answers /healthz with the reason if a worker has failed', async () => {
    const health = async () => ({ alive: false, ready: false, reason: 'A worker has failed' });
    const server = await startMonitoringServer({ ...at, metrics, health });
    const response = await fetch(`${server.url}/healthz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ alive: false, reason: 'A worker has failed' });
    await server.close();
  });

  it('fails a scrape if a part of the metrics is missing', async () => {
    const broken = { ...metrics, text: () => Promise.reject(new Error('no metrics now')) };
    const server = await startMonitoringServer({ ...at, metrics: broken });
    const response = await fetch(`${server.url}/metrics`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: 'no metrics now' });
    await server.close();
  });

  it('names the variable if the address is not on this machine', async () => {
    await expect(startMonitoringServer({ ...at, host: '192.0.2.1', metrics })).rejects.toThrow(
      'SOME_ADDRESS: 192.0.2.1:0 is not available (EADDRNOTAVAIL)',
    );
  });
});

it('healthOf answers a probe even if the server never answers', async () => {
  const workflowService = { getSystemInfo: () => new Promise(() => undefined) };
  const withDeadline = (_: number, call: () => Promise<unknown>) => call();
  const health = healthOf({ workflowService, withDeadline } as never, []);
  const silent = { alive: true, ready: false, reason: 'Temporal does not answer' };
  expect(await Promise.all([health(), health()])).toEqual([silent, silent]);
  expect(await health()).toEqual(silent);
});

it('loadPromClient names the variable and how to install prom-client if it is missing', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  await expect(loadPromClient('SOME_ADDRESS', () => Promise.reject(missing))).rejects.toThrow(
    'SOME_ADDRESS needs prom-client, which is not installed: npm install prom-client@15',
  );
});
