import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionCompletedError, startMany } from '../../src/client/index.js';
import type { OnboardingInput } from '../../src/contract/index.js';
import { all } from '../support/batch.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function inputs(count: number): Promise<OnboardingInput[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => world.simulator.openSession()));
  return opened.map(({ interviewId, token }) => ({ interviewId, sessionToken: token }));
}

describe('startMany', () => {
  it('starts an onboarding for each session in order and marks existing ones as attached', async () => {
    const list = await inputs(6);
    await world.onboarding.start(list[2] as OnboardingInput);
    await world.onboarding.result(String(list[2]?.interviewId));
    const items = await all(startMany(world.onboarding, list, { concurrency: 2, ifCompleted: 'return' }));
    expect(items.map(({ index, interviewId }) => [index, interviewId])).toEqual(
      list.map(({ interviewId }, index) => [index, interviewId]),
    );
    expect(items.map(({ started }) => started?.attached)).toEqual([false, false, true, false, false, false]);
    for (const { interviewId } of list) {
      expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
      expect(world.simulator.effects(interviewId).finished).toBe(1);
    }
  });

  it('yields an error for each session that cannot be started and continues', async () => {
    const [first, last] = await inputs(2);
    await world.onboarding.start(first as OnboardingInput);
    await world.onboarding.result(String(first?.interviewId));
    const list = [first, { interviewId: 'a b' }, null, last] as OnboardingInput[];
    const items = await all(startMany(world.onboarding, list));
    expect(items.map(({ error }) => error?.name)).toEqual([
      'SessionCompletedError',
      'InvalidInputError',
      'InvalidInputError',
      undefined,
    ]);
    expect(items[0]?.error).toBeInstanceOf(SessionCompletedError);
    await world.onboarding.result(String(last?.interviewId));
  });

  it('keeps at most the configured number of starts in flight and reads no further input', async () => {
    const list = await inputs(9);
    let [underWay, most, read] = [0, 0, 0];
    const onboarding = Object.create(world.onboarding);
    onboarding.start = async (input: OnboardingInput) => {
      underWay += 1;
      most = Math.max(most, underWay);
      const started = await world.onboarding.start(input);
      underWay -= 1;
      return started;
    };
    const counted = (function* () {
      for (const input of list) {
        read += 1;
        yield input;
      }
    })();
    const items = startMany(onboarding, counted, { concurrency: 3 });
    await items.next();
    expect(read).toBeLessThanOrEqual(5);
    await all(items);
    expect({ most, read }).toEqual({ most: 3, read: 9 });
    for (const { interviewId } of list) await world.onboarding.result(interviewId);
  });

  it('starts no more sessions after its signal is aborted', async () => {
    const list = await inputs(4);
    const abort = new AbortController();
    const items = startMany(world.onboarding, list, { concurrency: 1, signal: abort.signal });
    await items.next();
    abort.abort(new Error('enough'));
    expect((await thrown(all(items))).message).toBe('enough');
    expect((await thrown(world.onboarding.state(String(list[3]?.interviewId)))).name).toBe('SessionNotFoundError');
  });

  it.each([0, 1.5])('refuses a concurrency of %d', async (concurrency) => {
    expect(await thrown(all(startMany(world.onboarding, [], { concurrency })))).toMatchObject({ field: 'concurrency' });
  });
});
