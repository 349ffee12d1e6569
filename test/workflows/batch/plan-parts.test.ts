import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type { CompleteManyInput } from '../../../src/activities/batch/types.js';
import type { BatchCommandOptions } from '../../../src/cli/batch/options.js';
import { BatchMismatchError, completeBatch } from '../../../src/client/index.js';
import { type ResolvedBatchPlan, resolveBatchPlan } from '../../../src/contract/batch.js';
import { type BatchPlan, checkBatchPlan } from '../../../src/contract/index.js';
import { all, startShard } from '../../support/batch.js';
import { inputsOf } from '../../support/history.js';
import { thrown } from '../../support/thrown.js';
import { startTestWorld, type TestWorld } from '../../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** For each part of a batch's plan, a value that is not the default. A new part does not compile before it is added here. */
const PARTS: Required<BatchPlan> = { close: true, score: false, scoreDeadline: '1h' };
const plans = Object.entries(PARTS).map(([part, value]) => ({ part, plan: { [part]: value } as BatchPlan }));

describe('each part of a batch plan', () => {
  it('has the same type in the bulk activity and an option in the CLI', () => {
    expectTypeOf<CompleteManyInput['plan']>().toExtend<ResolvedBatchPlan>();
    expectTypeOf<keyof BatchPlan>().toExtend<keyof BatchCommandOptions>();
  });

  it.each(plans)('is accepted and resolved: $part', ({ plan }) => {
    expect(checkBatchPlan(plan)).toEqual(plan);
    expect(resolveBatchPlan(plan)).not.toEqual(resolveBatchPlan(undefined));
  });

  it.each(plans)('reaches the bulk activity: $part', async ({ plan }) => {
    const handle = await startShard(world, await world.sessions(1), { plan });
    await handle.result();
    const [input] = inputsOf<CompleteManyInput>(await handle.fetchHistory(), 'completeMany');
    expect(input?.plan).toEqual(resolveBatchPlan(plan));
  });

  it.each(plans)('prevents that a batch with another value attaches: $part', async ({ plan }) => {
    const sessions = await world.sessions(1);
    const batch = world.batch();
    await all(completeBatch(world.onboarding, sessions, batch));
    const error = await thrown(all(completeBatch(world.onboarding, sessions, { ...batch, plan })));
    expect(error).toBeInstanceOf(BatchMismatchError);
  });
});
