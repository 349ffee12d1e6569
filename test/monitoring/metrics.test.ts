import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import { completeBatch, OnboardingClient } from '../../src/client/index.js';
import {
  CAPTURE_WORKFLOW,
  captureWorkflowId,
  ONBOARDING_WORKFLOW,
  onboardingWorkflowId,
  SEARCH_ATTRIBUTES,
} from '../../src/contract/index.js';
import { countPeople, countSessions } from '../../src/monitoring/session-counts.js';
import {
  type IncodeSimulator,
  type LocalTemporalServer,
  type SessionSpec,
  startIncodeSimulator,
} from '../../src/testing/index.js';
import { freePort } from '../../src/testing/server/process.js';
import { type Family, parseExposition, type Sample } from '../support/exposition.js';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';
import { until } from '../support/lifecycle.js';
import { codeBlocks, inCode, tableOf } from '../support/markdown.js';
import { startNewServer } from '../support/new-server.js';
import { type Asked, isSelected, parsePromQl } from '../support/promql.js';
import { deliver, startWebhooks, type WebhooksProcess } from '../support/webhooks-process.js';
import { API_KEY } from '../support/world.js';

// A separate server, because the rules and the dashboard use the default names of the task queues.

const SECRET = 'a-secret-that-must-not-be-seen';
const BATCH_SESSIONS = 30;
let directory: string;
let simulator: IncodeSimulator;
let server: LocalTemporalServer;
let connection: Connection;
let onboarding: OnboardingClient;
let worker: WorkerProcess;
let receiver: WebhooksProcess;
/** The addresses that serve metrics. */
let workerUrl: string;
let receiverUrl: string;
let gatewayUrl: string;
let gateway: GatewayProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-metrics-'));
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  server = await startNewServer();
  connection = await Connection.connect({ address: server.address });
  onboarding = new OnboardingClient({ client: new Client({ connection }) });
  const logFile = join(directory, 'worker.log');
  worker = await startWorkerProcess(
    {
      INCODE_BASE_URL: simulator.url,
      INCODE_API_KEY: API_KEY,
      TEMPORAL_ADDRESS: server.address,
      WORKER_METRICS_ADDRESS: '127.0.0.1:0',
    },
    logFile,
  );
  receiver = await startWebhooks([], {
    TEMPORAL_ADDRESS: server.address,
    WEBHOOK_PORT: String(await freePort()),
    WEBHOOK_HEADER_SECRETS: SECRET,
    WEBHOOK_OAUTH_CLIENTS: `incode:${SECRET}`,
    WEBHOOK_METRICS_ADDRESS: '127.0.0.1:0',
  });
  workerUrl = await servedAt(() => readFile(logFile, 'utf8'));
  gateway = await startGatewayProcess([], { TEMPORAL_ADDRESS: server.address, GATEWAY_METRICS_ADDRESS: '127.0.0.1:0' });
  receiverUrl = await servedAt(async () => receiver.output());
  gatewayUrl = await servedAt(async () => gateway.output());
  await everythingHappens();
});

afterAll(async () => {
  await receiver?.[Symbol.asyncDispose]();
  await gateway?.[Symbol.asyncDispose]();
  await worker?.kill();
  await connection?.close();
  await server?.stop();
  await simulator?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Reads the address from the log, because the system chose the port. */
async function servedAt(log: () => Promise<string>): Promise<string> {
  for (;;) {
    const line = (await log()).split('\n').find((text) => text.includes('"Serving metrics'));
    if (line) return JSON.parse(line).url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function scrape(url: string): Promise<Map<string, Family>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  return parseExposition(await response.text());
}

async function samplesOf(url: string): Promise<Sample[]> {
  return [...(await scrape(url)).values()].flatMap(({ samples }) => samples);
}

async function total(url: string, name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  return sum(await samplesOf(url), name, labels);
}

function sum(samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  const matching = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return matching.length > 0 ? matching.reduce((whole, { value }) => whole + value, 0) : undefined;
}

async function open(spec: SessionSpec = {}): Promise<{ interviewId: string; sessionToken: string }> {
  const { interviewId, token } = await simulator.openSession(spec);
  return { interviewId, sessionToken: token };
}

let waiting: string;

/** Success, refusal, a lost answer, a rate limit, a wrong key, a wrong token, a batch with failures, webhooks, an unknown workflow type. */
async function everythingHappens(): Promise<void> {
  const good = await open();
  const unknown = await open();
  simulator.fault({ operation: 'finishStatus', interviewId: unknown.interviewId, kind: 'status', status: 404 });
  const lost = await open();
  simulator.fault({ operation: 'finishStatus', interviewId: lost.interviewId, kind: 'reset', effect: true });
  const limited = await open();
  simulator.fault({ operation: 'finishStatus', interviewId: limited.interviewId, kind: 'status', status: 429 });
  const locked = await open();
  simulator.fault({
    operation: 'finishStatus',
    interviewId: locked.interviewId,
    kind: 'status',
    status: 403,
    times: null,
  });
  const refused = await open();
  simulator.revokeTokens(refused.interviewId);
  waiting = refused.interviewId;
  for (const session of [good, unknown, lost, limited, locked, refused]) await onboarding.start(session);
  for (const { interviewId } of [good, lost, limited]) await onboarding.result(interviewId);
  await expect(onboarding.result(unknown.interviewId)).rejects.toThrow();

  const [one, other] = [await open(), await open()];
  const mixedUp = { interviewId: one.interviewId, sessionToken: other.sessionToken };
  // Past the client, which refuses such a token itself.
  const failed = await onboarding.temporal.workflow.start(ONBOARDING_WORKFLOW, {
    taskQueue: 'incode-onboarding',
    workflowId: onboardingWorkflowId(one.interviewId),
    args: [mixedUp],
  });
  await expect(failed.result()).rejects.toThrow();

  const list = await Promise.all(Array.from({ length: BATCH_SESSIONS }, () => open()));
  // More failures in a row than the circuit breaker tolerates.
  simulator.fault({ operation: 'finishStatus', kind: 'status', status: 503, times: 12 });
  const items = completeBatch(onboarding, list, { batchId: 'metrics', plan: { score: false } });
  for await (const { outcome } of items) expect(outcome).toBe('approved');

  await onboarding.temporal.workflow.start('ofNobody', { taskQueue: 'incode-onboarding', workflowId: 'of-nobody' });
  const delivery = { interviewId: waiting, onboardingStatus: 'ID_VALIDATION_FINISHED' };
  expect(await deliver(receiver, delivery, { 'x-webhook-secret': SECRET })).toMatchObject({ status: 200 });
  expect(await deliver(receiver, delivery)).toMatchObject({ status: 401 });
  expect((await fetch(`${gateway.url}/v1/sessions/${waiting}`)).status).toBe(200);
  const failedTasks = () =>
    total(workerUrl, 'temporal_workflow_task_execution_failed_total', { workflow_type: 'ofNobody' });
  await until(async () => Number(await failedTasks()) > 0, true);
  await until(() => total(workerUrl, 'incode_sessions', { stage: 'waiting' }), 0);
}

const ROOT = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');
const page = read('docs/monitoring.md');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}
const RULES: Rule[] = parse(read('ops/alerts.yml')).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);

interface Panel {
  title: string;
  targets?: { expr: string; legendFormat: string }[];
}
const PANELS: Panel[] = JSON.parse(read('ops/grafana-dashboard.json')).panels;

/** Every PromQL expression, with its place and the labels that the texts next to it show. */
const EXPRESSIONS: { where: string; asked: Asked; shown: string[] }[] = [
  ...RULES.map(({ alert, expr, annotations }) => ({
    where: alert,
    asked: parsePromQl(expr),
    shown: [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => String(label)),
  })),
  ...PANELS.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      where: title,
      asked: parsePromQl(expr.replaceAll('$__rate_interval', '5m')),
      shown: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => String(label)),
    })),
  ),
  ...codeBlocks(page, 'promql').map((code) => ({ where: 'monitoring.md', asked: parsePromQl(code), shown: [] })),
];

/** Prometheus' own metric, which says whether it could scrape. */
const UP: Sample = { name: 'up', labels: { job: 'temporal-incode-worker', instance: 'any' }, value: 1 };

describe('metrics', () => {
  it('the metrics follow the conventions of Prometheus for help, types, base units and _total', async () => {
    for (const url of [workerUrl, receiverUrl, gatewayUrl]) {
      for (const { name, type, help, samples } of (await scrape(url)).values()) {
        expect(help, name).not.toBe('');
        expect(['counter', 'gauge', 'histogram'], name).toContain(type);
        expect(name.endsWith('_total'), name).toBe(type === 'counter');
        if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/);
        expect(name).not.toMatch(/_(milliseconds|ms|minutes|kilobytes|percent)(_|$)/);
        expect(name).toMatch(/^(incode|temporal|process|nodejs)_[a-z0-9_]+$/);
        for (const { labels } of samples) expect(JSON.stringify(labels)).not.toMatch(/interview|of-nobody|run_?id/i);
      }
    }
  });

  it('the metrics count what the sessions of this test went through', async () => {
    const samples = await samplesOf(workerUrl);
    const count = (name: string, labels: Record<string, string> = {}) => sum(samples, name, labels);
    // Retried once a minute while the key is wrong.
    expect(count('incode_requests_total', { outcome: 'apiKeyRefused' })).toBeGreaterThanOrEqual(1);
    expect(count('incode_requests_total', { operation: 'finishStatus', outcome: 'unknownSession' })).toBe(1);
    // Incode already refuses the status read before the finish.
    expect(count('incode_requests_total', { operation: 'finishStatus', outcome: 'tokenRefused' })).toBe(0);
    expect(
      count('incode_requests_total', { operation: 'onboardingStatus', outcome: 'tokenRefused' }),
    ).toBeGreaterThanOrEqual(1);
    expect(count('incode_requests_total', { operation: 'finishStatus', outcome: 'maybeRunning' })).toBe(1);
    expect(count('incode_requests_total', { operation: 'finishStatus', outcome: 'ok' })).toBe(BATCH_SESSIONS + 2);
    expect(count('incode_responses_total', { status: '429' })).toBe(1);
    expect(count('incode_finish_ambiguous_total', { outcome: 'maybeRunning' })).toBe(1);
    expect(count('incode_finish_duplicates_prevented_total')).toBe(1);
    expect(count('incode_finish_verifications_total', { result: 'finished' })).toBe(1);
    expect(count('incode_token_mismatches_total')).toBe(1);
    expect(count('incode_batch_sessions_total', { result: 'finished' })).toBe(BATCH_SESSIONS);
    expect(count('incode_batch_sessions_postponed_total')).toBeGreaterThanOrEqual(8);
    expect(count('incode_batch_held')).toBe(0);
    const requests = count('incode_requests_total', { operation: 'finishStatus' });
    expect(count('incode_request_duration_seconds_count', { operation: 'finishStatus' })).toBe(requests);

    const webhooks = (labels: Record<string, string>) => total(receiverUrl, 'incode_webhook_requests_total', labels);
    expect(await webhooks({ endpoint: 'delivery', result: 'delivered' })).toBe(1);
    expect(await webhooks({ endpoint: 'delivery', result: 'unauthenticated' })).toBe(1);
    expect(await webhooks({ endpoint: 'delivery' })).toBe(2);
    expect(await webhooks({ endpoint: 'token' })).toBe(0);
  });

  it('countSessions counts the open sessions in each stage', async () => {
    const native = await NativeConnection.connect({ address: server.address });
    // The session that waits for a token, and the session with the wrong API key.
    await expect
      .poll(() => countSessions(native, 'default'))
      .toEqual({ waiting: 0, needsToken: 1, inReview: 0, atWork: 1 });
    await native.close();
  });

  it('countPeople counts the open people from images in each stage', async () => {
    const native = await NativeConnection.connect({ address: server.address });
    const start = (stage: string) =>
      onboarding.temporal.workflow.start(CAPTURE_WORKFLOW, {
        taskQueue: 'queue-of-nobody',
        workflowId: captureWorkflowId(stage),
        args: [],
        searchAttributes: { [SEARCH_ATTRIBUTES.stage]: [stage] },
      });
    const people = await Promise.all(['needsImage', 'needsToken', 'starting'].map(start));
    await expect.poll(() => countPeople(native, 'default')).toEqual({ needsImage: 1, needsToken: 1, atWork: 1 });
    await Promise.all(people.map((person) => person.terminate()));
    await native.close();
  });

  it('the metrics and labels are those in docs/monitoring.md', async () => {
    const families = new Map([
      ...(await scrape(workerUrl)),
      ...(await scrape(receiverUrl)),
      ...(await scrape(gatewayUrl)),
    ]);
    const exposed = [...families.values()]
      .filter(({ name }) => name.startsWith('incode_'))
      .map(({ name, samples }) => [name, labelsOf(samples)]);
    const documented = tableOf(page, 'metric').map(([name = '', labels = '']) => [inCode(name)[0], inCode(labels)]);
    expect(sorted(documented)).toEqual(sorted(exposed));
  });

  it('the metrics include all of the SDK that docs/monitoring.md names', async () => {
    const exposed = [...(await scrape(workerUrl)).keys()];
    const named = tableOf(page, 'metric of the SDK').flatMap((row) => inCode(row.join(' ')));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => name.startsWith('temporal_') && !exposed.includes(name))).toEqual([]);
  });
});

describe('ops/alerts.yml and ops/grafana-dashboard.json', () => {
  it('the files in ops contain alert rules and PromQL expressions', () => {
    expect(RULES.length).toBeGreaterThan(10);
    expect(EXPRESSIONS.length).toBeGreaterThan(40);
  });

  it('alerts and dashboard use only metrics, labels and values that exist', async () => {
    const samples = [
      ...(await samplesOf(workerUrl)),
      ...(await samplesOf(receiverUrl)),
      ...(await samplesOf(gatewayUrl)),
      UP,
    ];
    const wrong = EXPRESSIONS.flatMap(({ where, asked: { selectors } }) =>
      selectors
        .filter((selector) => !samples.some((one) => one.name === selector.name && isSelected(one, selector)))
        .map((selector) => `${where}: ${JSON.stringify(selector)}`),
    );
    expect(wrong).toEqual([]);
  });

  it('alerts and dashboard group by and show only labels that their metrics have', async () => {
    const samples = [
      ...(await samplesOf(workerUrl)),
      ...(await samplesOf(receiverUrl)),
      ...(await samplesOf(gatewayUrl)),
      UP,
    ];
    const wrong = EXPRESSIONS.flatMap(({ where, asked: { selectors, groupedBy }, shown }) => {
      const own = samples.filter(({ name }) => selectors.some((selector) => selector.name === name));
      const there = ['instance', 'job', ...labelsOf(own, true)];
      return [...groupedBy, ...shown].filter((label) => !there.includes(label)).map((label) => `${where}: ${label}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ['incode_finish_unconfirmed_total', {}],
    ['incode_finish_not_confirmed_total', {}],
    ['incode_token_mismatches_total', {}],
    ['incode_executive_refused_total', {}],
    ['incode_secret_files_wrong', {}],
    ['incode_webhook_hints_total', { result: 'contradicted' }],
    ['incode_webhook_hints_total', { result: 'unconfirmed' }],
    ['incode_webhook_requests_total', { endpoint: 'delivery', result: 'tooMany' }],
  ])('has an alert for %s with %j', (name, labels: Record<string, string>) => {
    const asked = RULES.flatMap(({ expr }) => parsePromQl(expr).selectors);
    expect(
      asked.filter((selector) => selector.name === name && isSelected({ name, labels, value: 1 }, selector)),
    ).not.toEqual([]);
  });

  it('alerts and dashboard use counters only over a range of time', async () => {
    const families = [
      ...(await scrape(workerUrl)).values(),
      ...(await scrape(receiverUrl)).values(),
      ...(await scrape(gatewayUrl)).values(),
    ];
    const growing = families
      .filter(({ type }) => type !== 'gauge')
      .flatMap(({ samples }) => samples.map(({ name }) => name));
    const shown = EXPRESSIONS.flatMap(({ asked: { selectors } }) => selectors).filter(({ isOverTime }) => !isOverTime);
    expect(shown.filter(({ name }) => growing.includes(name))).toEqual([]);
  });

  it('the alerts are those in docs/monitoring.md', () => {
    const documented = tableOf(page, 'alert').map(([alert = '']) => inCode(alert)[0]);
    expect(documented).toEqual(RULES.map(({ alert }) => alert));
    for (const { labels, annotations } of RULES) {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations).toEqual({ summary: expect.any(String), description: expect.any(String) });
    }
  });
});

function labelsOf(samples: Sample[], withBounds = false): string[] {
  const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
  if (!withBounds) labels.delete('le');
  return [...labels].sort();
}

function sorted(rows: unknown[][]): unknown[][] {
  return [...rows].sort(([a], [b]) => String(a).localeCompare(String(b)));
}
