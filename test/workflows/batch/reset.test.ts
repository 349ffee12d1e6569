import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_SIGNALS, type BatchSession, type BatchWorkflow } from '../../../src/contract/index.js';
import { startShard } from '../../support/batch.js';
import { resetTo } from '../../support/reset.js';
import { IMPATIENT, openSessions, startTestWorld, type TestWorld } from '../../support/world.js';

// An operator resets a shard. The new run gets a part of the old run's history, and the old run had continued after that part.

let world: TestWorld;
/** Answers of the token source to the next sessions without a token. */
let tokens: (() => Promise<string>)[] = [];
const refused = () => Promise.reject(new Error('The vault is closed'));
beforeAll(async () => {
  const token = async (interviewId: string) => tokens.shift()?.() ?? world.simulator.issueToken(interviewId);
  world = await startTestWorld({ incode: IMPATIENT, tokenSource: () => ({ token }) });
});
afterAll(() => world[Symbol.asyncDispose]());

/** @returns the ids of the events at which a run can be reset, oldest first */
async function completedTasks(handle: WorkflowHandle<BatchWorkflow>): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? [])
    .filter((event) => event.workflowTaskCompletedEventAttributes)
    .map(({ eventId }) => Number(eventId));
}

/** @returns the id of the event with which the task after the first activity was completed */
async function taskAfterFirstActivity(handle: WorkflowHandle<BatchWorkflow>): Promise<number | undefined> {
  const { events } = await handle.fetchHistory();
  const first = (events ?? []).find((event) => event.activityTaskCompletedEventAttributes);
  return (await completedTasks(handle)).find((eventId) => eventId > Number(first?.eventId));
}

/** @returns a handle of the new run */
async function reset({ workflowId }: WorkflowHandle<BatchWorkflow>, eventId: number | undefined) {
  await resetTo(world.temporal, workflowId, eventId);
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

  it('reads every status first if it was reset during an activity', async () => {
    const sessions = await world.sessions(4);
    const [held, ...sent] = sessions as [BatchSession, ...BatchSession[]];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    tokens = [() => released.then(refused)];
    const handle = await startShard(world, [...sent, { interviewId: held.interviewId }]);
    await expect.poll(() => world.timesFinished(sent)).toEqual(sent.map(() => 1));
    // The signal causes a task during the activity.
    const before = await completedTasks(handle);
    await handle.signal(BATCH_SIGNALS.resume);
    await expect.poll(async () => (await completedTasks(handle)).length).toBe(before.length + 1);
    const again = await reset(handle, (await completedTasks(handle)).at(-1));
    const { rows } = await again.result();
    release();
    expect(rows.map(({ finish }) => finish?.confirmedBy)).toEqual(['status', 'status', 'status', 'response']);
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });

  it('reads the status first even if an activity before the reset point did not send the session', async () => {
    const [session] = await world.sessions(1);
    const { interviewId } = session as BatchSession;
    tokens = [refused];
    const handle = await startShard(world, [{ interviewId }]);
    await handle.result();
    // Between the activity that got no token and the one that finished the session.
    const again = await reset(handle, await taskAfterFirstActivity(handle));
    await again.result();
    expect(operationsOn({ interviewId })).toEqual(['onboardingStatus', 'finishStatus', 'onboardingStatus', 'score']);
  });

  it('waits for the settle time after a request that the replaced run has just sent', async () => {
    // Incode ends a request after 4.5 s: longer than a slow machine needs for a reset.
    await using own = await startTestWorld({
      incode: IMPATIENT,
      simulator: { timeScale: 0.15 },
      bulk: { settleTimeMs: 5_000 },
    });
    const { simulator } = own;
    const [session] = await openSessions(simulator, 1);
    const { interviewId } = session as BatchSession;
    const fault = { operation: 'finishStatus', interviewId } as const;
    simulator.fault({ ...fault, kind: 'status', status: 500 });
    simulator.fault({ ...fault, kind: 'hang', effect: true, effectAfterMs: 4_000 });
    const handle = await startShard(own, [session as BatchSession]);
    await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(2);
    // After the answer 500, with which the first request ended.
    const again = await reset(handle, await taskAfterFirstActivity(handle));
    const { rows } = await again.result();
    expect(rows[0]?.finish?.confirmedBy).toBe('status');
    expect(simulator.effects(interviewId).finished).toBe(1);
  });

  it('continues from a task with several open activities', async () => {
    const sessions = await world.sessions(1_200);
    const handle = await startShard(world, sessions);
    await handle.result();
    const again = await reset(handle, (await completedTasks(handle)).at(-1));
    expect((await again.result()).rows.every(({ outcome }) => outcome === 'approved')).toBe(true);
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });
});
