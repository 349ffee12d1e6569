import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_SIGNALS, type BatchSession, type BatchWorkflow } from '../../../src/contract/index.js';
import { startShard } from '../../support/batch.js';
import { openSessions, startTestWorld, type TestWorld } from '../../support/world.js';

// An operator resets a shard. The new run takes over a part of what the old one knew, and the old one went on after that part.

let world: TestWorld;
/** For the next session that has no token: what the token source says. */
let tokens: (() => Promise<string>)[] = [];
const refused = () => Promise.reject(new Error('The vault is closed'));
beforeAll(async () => {
  const token = async (interviewId: string) => tokens.shift()?.() ?? world.simulator.issueToken(interviewId);
  world = await startTestWorld({ tokenSource: () => ({ token }) });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Ids of the events at which a run can be reset, oldest first. */
async function completedTasks(handle: WorkflowHandle<BatchWorkflow>): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? [])
    .filter((event) => event.workflowTaskCompletedEventAttributes)
    .map(({ eventId }) => Number(eventId));
}

/** What stands before that task is taken over. */
async function reset({ workflowId }: WorkflowHandle<BatchWorkflow>, eventId: number | undefined) {
  const { runId } = await world.temporal.workflow.getHandle(workflowId).describe();
  await world.temporal.workflowService.resetWorkflowExecution({
    namespace: world.temporal.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: eventId as never,
  });
  return world.temporal.workflow.getHandle<BatchWorkflow>(workflowId);
}

function operationsOn({ interviewId }: BatchSession): string[] {
  return world.simulator.callsOf(interviewId).map(({ operation }) => operation);
}

describe('a shard that is reset', () => {
  it('reads every status first', async () => {
    const sessions = await world.sessions(4);
    const handle = await startShard(world, sessions);
    await handle.result();
    const again = await reset(handle, (await completedTasks(handle))[0]);
    const { rows } = await again.result();
    expect(rows.map(({ finish }) => finish?.confirmedBy)).toEqual(sessions.map(() => 'status'));
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });

  it('in the middle of an activity does so too', async () => {
    const sessions = await world.sessions(4);
    const [held, ...sent] = sessions as [BatchSession, ...BatchSession[]];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    tokens = [() => released.then(refused)];
    const handle = await startShard(world, [...sent, { interviewId: held.interviewId }]);
    await expect.poll(() => world.timesFinished(sent)).toEqual(sent.map(() => 1));
    // A task while the activity is under way.
    await handle.signal(BATCH_SIGNALS.resume);
    await expect.poll(async () => (await completedTasks(handle)).length).toBe(2);
    const again = await reset(handle, (await completedTasks(handle))[1]);
    const { rows } = await again.result();
    release();
    expect(rows.map(({ finish }) => finish?.confirmedBy)).toEqual(['status', 'status', 'status', 'response']);
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });

  it('does so although an activity before that point had not sent the session', async () => {
    const [session] = await world.sessions(1);
    const { interviewId } = session as BatchSession;
    tokens = [refused];
    const handle = await startShard(world, [{ interviewId }]);
    await handle.result();
    // After the activity that got no token, before the one that finished the session.
    const again = await reset(handle, (await completedTasks(handle))[1]);
    await again.result();
    expect(operationsOn({ interviewId })).toEqual(['onboardingStatus', 'finishStatus', 'onboardingStatus', 'score']);
  });

  it('leaves alone what the run before has only just sent', async () => {
    // Incode ends a request after 4.5 s: longer than a slow machine needs for a reset.
    await using own = await startTestWorld({ simulator: { timeScale: 0.15 }, bulk: { settleTimeMs: 5_000 } });
    const { simulator } = own;
    const [session] = await openSessions(simulator, 1);
    const { interviewId } = session as BatchSession;
    const fault = { operation: 'finishStatus', interviewId } as const;
    simulator.fault({ ...fault, kind: 'status', status: 500 });
    simulator.fault({ ...fault, kind: 'hang', effect: true, effectAfterMs: 4_000 });
    const handle = await startShard(own, [session as BatchSession]);
    await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(2);
    // After the answer 500, which said that the request was over.
    const again = await reset(handle, (await completedTasks(handle))[1]);
    const { rows } = await again.result();
    expect(rows[0]?.finish?.confirmedBy).toBe('status');
    expect(simulator.effects(interviewId).finished).toBe(1);
  });

  it('with several activities at a time goes on from any task', async () => {
    const sessions = await world.sessions(1_200);
    const handle = await startShard(world, sessions);
    await handle.result();
    const again = await reset(handle, (await completedTasks(handle)).at(-1));
    expect((await again.result()).rows.every(({ outcome }) => outcome === 'approved')).toBe(true);
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });
});
