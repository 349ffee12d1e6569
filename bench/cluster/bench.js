import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { completeBatch } from '../../dist/client/index.js';
import { startCluster } from '../../scripts/cluster/cluster.js';
import { familyMb, measureCpu, memoryMb } from '../lib/processes.js';
import { printTable, say } from '../lib/report.js';
import { percentile, rounded } from '../lib/statistics.js';
import {
  forEach,
  startIncodeAndWorker,
  startReceiver,
  startServer,
  startWorker,
  until,
  useCluster,
  useServer,
} from '../lib/world.js';

const SINGLES = 200;
const STARTS_AT_A_TIME = 16;
const BATCH = 10_000;
const WEBHOOKS = 400;
const WEBHOOKS_AT_A_TIME = 8;
const OPEN = 1_000;
const IDLE_SECONDS = 10;

const SECRET = randomBytes(16).toString('hex');

/**
 * The same work on the local server and on a cluster, with one worker and with two, one after the other in each round. Processor time per
 * session hardly depends on what else the machine does; sessions per second do.
 *
 * @param options `sessions`: how many lifecycles are open at once. `rounds`: how often everything is measured
 */
export async function run({ sessions: open = OPEN, rounds = 1 } = {}) {
  const cluster = await startCluster({ onProgress: say });
  const rows = [];
  let server;
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const workers of [1, 2]) {
        for (const deployment of ['local', 'cluster']) {
          if (deployment === 'local') useServer(null);
          else useCluster(cluster);
          const database = deployment === 'local' ? null : () => databaseMb(cluster);
          const row = { deployment, workers, ...(await measure({ workers, open, database })) };
          server = { version: row.version, source: 'local and cluster' };
          rows.push(row);
          say(JSON.stringify(row));
        }
      }
    }
  } finally {
    useServer(null);
    await cluster.stop();
  }
  print(rows, open);
  return { server, settings: { SINGLES, BATCH, WEBHOOKS, open, rounds }, results: rows, targets: [] };
}

async function databaseMb({ postgres }) {
  const names = ['temporal', 'temporal_visibility'];
  const sizes = await Promise.all(names.map((name) => postgres.query(`select pg_database_size('${name}')`)));
  return rounded(sizes.reduce((sum, size) => sum + Number(size), 0) / 2 ** 20);
}

async function measure({ workers, open, database }) {
  const world = await startServer();
  try {
    const { simulator, worker } = await startIncodeAndWorker(world, { simulator: { latencyMs: 5 } });
    const pids = { ...world.server.pids, worker: worker.pid };
    for (let index = 2; index <= workers; index++) {
      pids[`worker${index}`] = (await startWorker(world, simulator, { name: `worker-${index}` })).pid;
    }
    const receiver = await startReceiver(world, SECRET);
    Object.assign(pids, { receiver: receiver.pid, client: process.pid });
    const all = { ...world, simulator, pids, receiver, database };
    // Also waits until everything is warm.
    await singles(all, 20);
    const idle = await idleShare(pids);
    const costs = (cpu, count) => costPerItem(cpu, idle, count);
    return {
      version: world.server.version,
      idle: totals(idle, (share) => rounded(share * 100)),
      singles: await timed(all, SINGLES, () => singles(all, SINGLES), costs),
      batch: await timed(all, BATCH, () => batch(all, BATCH), costs),
      webhooks: await timed(all, WEBHOOKS, () => webhooks(all, WEBHOOKS), costs),
      open: await openLifecycles(all, open, costs),
    };
  } finally {
    await world.stop();
  }
}

async function timed({ pids }, count, work, costs) {
  const cpuUsed = measureCpu(pids);
  const latencies = await work();
  const cpu = cpuUsed();
  return {
    perSecond: rounded(count / cpu.seconds),
    ...(latencies ? { p50: rounded(percentile(latencies, 0.5)), p95: rounded(percentile(latencies, 0.95)) } : {}),
    cpuMs: costs(cpu, count),
  };
}

/** The share of a core that each process uses without work. */
async function idleShare(pids) {
  await sleep(3_000);
  const cpuUsed = measureCpu(pids);
  await sleep(IDLE_SECONDS * 1_000);
  const { seconds, others: _, ...used } = cpuUsed();
  return Object.fromEntries(Object.entries(used).map(([name, cpu]) => [name, cpu / seconds]));
}

/** Processor time in ms for each item, without what the processes use when they are idle. */
function costPerItem({ seconds, others: _, ...used }, idle, count) {
  const perItem = Object.fromEntries(
    Object.entries(used).map(([name, cpu]) => [name, Math.max(0, ((cpu - idle[name] * seconds) * 1_000) / count)]),
  );
  return totals(perItem, (ms) => rounded(ms, 3));
}

const NODES = ['server', 'frontend', 'history1', 'history2', 'matching', 'worker node'];

/** Workers are counted together, and nodes as well as one by one. */
function totals(values, round) {
  const sum = (names) => names.reduce((total, name) => total + (values[name] ?? 0), 0);
  return {
    nodes: round(sum(NODES)),
    ...Object.fromEntries(NODES.filter((name) => name in values).map((name) => [name, round(values[name])])),
    ...('postgres' in values ? { postgres: round(values.postgres) } : {}),
    worker: round(sum(['worker', 'worker2'])),
    receiver: round(values.receiver),
    client: round(values.client),
  };
}

/** Half of them by start and result, half by `finish`, whose latencies are returned. */
async function singles({ onboarding, simulator }, count) {
  const latencies = [];
  await forEach(Array.from({ length: count }), STARTS_AT_A_TIME, async (_, index) => {
    const { interviewId, token } = await simulator.openSession();
    const input = { interviewId, sessionToken: token, plan: { score: false } };
    if (index % 2 === 0) {
      await onboarding.start(input);
    } else {
      const startedAt = performance.now();
      await onboarding.finish(input);
      latencies.push(performance.now() - startedAt);
    }
    await onboarding.result(interviewId);
  });
  return latencies;
}

async function batch({ onboarding, simulator }, count) {
  const sessions = [];
  for (let index = 0; index < count; index++) {
    const { interviewId, token } = await simulator.openSession();
    sessions.push({ interviewId, sessionToken: token });
  }
  let approved = 0;
  for await (const { outcome } of completeBatch(onboarding, sessions, {
    batchId: randomUUID(),
    plan: { score: false },
  }))
    if (outcome === 'approved') approved += 1;
  if (approved !== count) throw new Error(`Only ${approved} of ${count} sessions of the batch were approved`);
}

async function openSessions({ onboarding, simulator }, count) {
  const ids = [];
  await forEach(Array.from({ length: count }), STARTS_AT_A_TIME, async () => {
    const { interviewId, token } = await simulator.openSession({ processedAfterMs: null });
    await onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked', score: false } });
    ids.push(interviewId);
  });
  return ids;
}

/** Deliveries to a tenth as many sessions. */
async function webhooks(world, count) {
  world.ids ??= await openSessions(world, count / 10);
  const { ids, receiver } = world;
  const latencies = [];
  const headers = { 'content-type': 'application/json', 'x-webhook-secret': SECRET };
  await forEach(Array.from({ length: count }), WEBHOOKS_AT_A_TIME, async (_, index) => {
    const body = JSON.stringify({ interviewId: ids[index % ids.length], onboardingStatus: 'ID_VALIDATION_FINISHED' });
    const startedAt = performance.now();
    const response = await fetch(receiver.url, { method: 'POST', headers, body });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`A webhook was answered ${response.status}`);
    latencies.push(performance.now() - startedAt);
  });
  return latencies;
}

async function openLifecycles(world, count, costs) {
  const { pids, database, onboarding, client } = world;
  const databaseBefore = await database?.();
  const cpuUsed = measureCpu(pids);
  const ids = await openSessions(world, count);
  const query = 'IncodeStage = "waiting" AND ExecutionStatus = "Running"';
  await until(
    async () => (await client.workflow.count(query)).count >= count,
    'A list of all of them',
    3_600_000,
    1_000,
  );
  const started = cpuUsed();
  const held = await sizes(world, count, databaseBefore);
  const cpuOfDrain = measureCpu(pids);
  await forEach(ids, STARTS_AT_A_TIME, (interviewId) => onboarding.finish({ interviewId }));
  await forEach(ids, STARTS_AT_A_TIME, (interviewId) => onboarding.result(interviewId));
  const drained = cpuOfDrain();
  return {
    startedPerSecond: rounded(count / started.seconds),
    startCpuMs: costs(started, count),
    held,
    drainSeconds: rounded(drained.seconds),
    drainedPerSecond: rounded(count / drained.seconds),
    drainCpuMs: costs(drained, count),
    drained: await sizes(world, count, databaseBefore),
  };
}

async function sizes({ pids, database }, count, before) {
  const memory = Object.entries(pids).filter(([name]) => name !== 'client' && name !== 'receiver');
  const databaseMbNow = await database?.();
  return {
    memoryMb: Object.fromEntries(
      memory.map(([name, pid]) => [name, name === 'postgres' ? familyMb(pid) : memoryMb(pid).now]),
    ),
    ...(databaseMbNow === undefined
      ? {}
      : { databaseMb: databaseMbNow, kbPerSession: rounded(((databaseMbNow - before) * 1_024) / count) }),
  };
}

function print(rows, open) {
  const cells = (work) =>
    rows.map((row) => {
      const { perSecond, p50, p95, cpuMs } = row[work];
      return [
        `${row.deployment}, ${row.workers} worker${row.workers > 1 ? 's' : ''}`,
        perSecond,
        p50 ?? '',
        p95 ?? '',
        ...costCells(cpuMs),
      ];
    });
  const head = ['', 'per second', 'p50 ms', 'p95 ms', 'nodes', 'postgres', 'worker', 'receiver', 'client and Incode'];
  for (const work of ['singles', 'batch', 'webhooks']) {
    printTable(`${work}: processor time in ms for each, without the idle share`, head, cells(work));
  }
  printTable(
    `${open} open lifecycles`,
    [
      '',
      'started/s',
      'nodes ms',
      'KB in the database',
      'drain s',
      'nodes ms to drain',
      'KB when closed',
      'memory MB, held',
    ],
    rows.map(({ deployment, workers, open: { held, drained, ...figures } }) => [
      `${deployment}, ${workers}`,
      figures.startedPerSecond,
      figures.startCpuMs.nodes,
      held.kbPerSession ?? '',
      figures.drainSeconds,
      figures.drainCpuMs.nodes,
      drained.kbPerSession ?? '',
      Object.entries(held.memoryMb)
        .map(([name, mb]) => `${name} ${mb}`)
        .join(', '),
    ]),
  );
}

function costCells({ nodes, postgres = '', worker, receiver, client }) {
  return [nodes, postgres, worker, receiver, client];
}
