import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import {
  BATCH_QUERIES,
  BATCH_SIGNALS,
  type BatchInput,
  type BatchProgress,
  FAILURES,
} from '../../../src/contract/index.js';
import { CLAIM_SIGNALS, CLAIMS_WORKFLOW, claimsWorkflowId } from '../../../src/contract/names.js';
import { type LocalTemporalServer, startLocalTemporalServer } from '../../../src/testing/index.js';
import { startShard } from '../../support/batch.js';
import { failedTasks, startInputOf } from '../../support/history.js';
import { startTestWorld, type TestWorld } from '../../support/world.js';

let server: LocalTemporalServer;
let world: TestWorld;
beforeAll(async () => {
  server = await startLocalTemporalServer({
    namespace: inject('temporalNamespace'),
    // The default is thousands of events.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': '30' },
    env: { ...process.env, TEMPORAL_ADDRESS: undefined },
  });
  world = await startTestWorld({ address: server.address });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server.stop();
});

async function runsOf(workflowId: string): Promise<number> {
  return (await world.temporal.workflow.count(`WorkflowId = "${workflowId}"`)).count;
}

it('a shard keeps its rows, signals and counts when it continues as new', async () => {
  const [quick = [], late = [], refused = []] = await Promise.all([
    world.sessions(3),
    world.sessions(3, { scoreReadyAfterMs: 36_000_000 }),
    world.sessions(1),
  ]);
  const fault = { kind: 'status', status: 400 } as const;
  world.simulator.fault({
    operation: 'finishStatus',
    interviewId: refused[0]?.interviewId ?? '',
    times: null,
    ...fault,
  });
  const sessions = [...quick, ...late, ...refused];
  const handle = await startShard(world, sessions, { plan: { score: true } });
  await expect.poll(() => runsOf(handle.workflowId)).toBeGreaterThan(1);

  // Signals to one run apply to the next ones, and counts include all runs.
  const progress = () => handle.query<BatchProgress>(BATCH_QUERIES.progress);
  expect(await progress()).toMatchObject({ total: 7, done: 3, failed: 1, waiting: 3 });
  const runs = await runsOf(handle.workflowId);
  await expect.poll(() => runsOf(handle.workflowId)).toBeGreaterThan(runs);
  await handle.signal(BATCH_SIGNALS.pause);
  await expect.poll(progress).toMatchObject({ paused: true, done: 3 });
  await world.simulator.advanceTime(36_000_000);
  await handle.signal(BATCH_SIGNALS.resume);

  const { rows } = await handle.result();
  const input = startInputOf<BatchInput>(await handle.fetchHistory());
  const carried = input.sessions.filter(({ sessionToken }) => sessionToken !== undefined);
  expect(carried, 'tokens of ended sessions are not carried on').toEqual(late);
  expect(rows.map(({ outcome, failure }) => outcome ?? failure?.type)).toEqual([
    ...Array.from({ length: 6 }, () => 'approved'),
    FAILURES.badRequest,
  ]);
  expect(world.timesFinished([...quick, ...late])).toEqual([...quick, ...late].map(() => 1));
  // Nobody asked again for what was answered.
  for (const { interviewId } of quick) {
    const operations = world.simulator.callsOf(interviewId).map(({ operation }) => operation);
    expect(operations).toEqual(['onboardingStatus', 'finishStatus', 'score']);
  }
  expect(world.simulator.callsOf(refused[0]?.interviewId, 'finishStatus')).toHaveLength(1);
});

it('shards and the claims workflow keep their claims when they continue as new', async () => {
  const sessions = await world.sessions(3);
  // The first shard holds the sessions: Incode refuses the API key until the operator corrects it.
  world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 403, times: null });
  const first = await startShard(world, sessions);
  const begun = () => world.simulator.callsOf(sessions[0]?.interviewId, 'finishStatus').length;
  await expect.poll(begun).toBeGreaterThan(0);
  await first.signal(BATCH_SIGNALS.pause);
  const second = await startShard(world, sessions);
  const heldUpBy = async () => (await second.query<BatchProgress>(BATCH_QUERIES.progress)).heldUpBy;
  await expect.poll(heldUpBy).toContain(`for ${first.workflowId}`);
  const ids = [first.workflowId, second.workflowId, claimsWorkflowId(world.taskQueue)];
  const fewestRuns = async () => Math.min(...(await Promise.all(ids.map(runsOf))));
  const lengthen = async () => {
    for (let times = 0; times < 10; times += 1) {
      await Promise.all([first, second].map((shard) => shard.signal(BATCH_SIGNALS.pause)));
      await world.temporal.workflow.getHandle(ids[2] ?? '').signal(CLAIM_SIGNALS.release, { shard: 'unknown' });
    }
    return fewestRuns();
  };
  await expect.poll(lengthen).toBeGreaterThan(2);
  await second.signal(BATCH_SIGNALS.resume);
  await expect.poll(heldUpBy).toContain(`for ${first.workflowId}`);
  expect(world.timesFinished(sessions)).toEqual([0, 0, 0]);
  world.simulator.clearFaults();
  await first.signal(BATCH_SIGNALS.resume);
  for (const shard of [first, second]) {
    expect((await shard.result()).rows.map(({ outcome }) => outcome)).toEqual(['approved', 'approved', 'approved']);
    expect(failedTasks(await shard.fetchHistory())).toEqual([]);
  }
  expect(world.timesFinished(sessions)).toEqual([1, 1, 1]);
});

it('the claims workflow continues as new before it has sent all of its messages, and its next runs send the rest', async () => {
  const workflowId = claimsWorkflowId(`${world.taskQueue}-many`);
  const { workflow } = world.temporal;
  const handle = await workflow.start(CLAIMS_WORKFLOW, { workflowId, taskQueue: world.taskQueue });
  const hashes = Array.from({ length: 300 }, (_, number) => String(number).padStart(6, '0'));
  const holders = hashes.map((hash) => [`${workflowId}/${hash}`, hash]);
  const claim = { shard: `${workflowId}/none`, claimId: 'any', sessions: hashes.join(''), holders };
  await handle.signal(CLAIM_SIGNALS.claim, claim);
  // It learns from each message that the shard does not exist.
  const details = async () =>
    (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails;
  await expect.poll(details).toBe('0 sessions are held by 0 shards');
  const history = await workflow.getHandle(workflowId, handle.firstExecutionRunId).fetchHistory();
  const events = history.events ?? [];
  expect(events.filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes)).toHaveLength(100);
  expect(events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
  expect(failedTasks(history)).toEqual([]);
  await handle.terminate();
});
