import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { encode } from '@temporalio/common/lib/encoding.js';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { FAILURES, SIGNALS, UPDATES } from '../../src/contract/index.js';
import { passTime } from '../../src/testing/index.js';
import { failedTasks, fetchHistory } from '../support/history.js';
import { begin, handleOf, stateOf, until } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld, WORKFLOW_BUNDLE } from '../support/world.js';

const payload = (encoding: string, data: string): Payload => ({
  metadata: { encoding: encode(encoding) },
  data: encode(data),
});

const BAD: [string, Payload, RegExp][] = [
  ['malformed JSON', payload('json/plain', '{"sessionToken": '), /it is not valid JSON/],
  ['JSON without data', { metadata: { encoding: encode('json/plain') } }, /it is not valid JSON/],
  ['an unknown encoding', payload('json/\u001b[31mnonsense', '{}'), /it has the encoding "json\/\?\[31mnonsense"/],
  ['a codec that the worker lacks', payload('binary/zlib', 'x'), /it has the encoding "binary\/zlib"/],
  ['no encoding', { metadata: {}, data: encode('{}') }, /it has the encoding ""/],
  ['a text of 600 kB', payload('json/plain', JSON.stringify('x'.repeat(600_000))), /it has more than 524288 bytes/],
  ['an encoding of a megabyte', payload('n'.repeat(1_000_000), '{}'), /it has the encoding "n{60}…"/],
];

const ENCRYPTED: Payload = {
  metadata: { encoding: encode('binary/encrypted'), 'encryption-key-id': encode('lost') },
  data: new Uint8Array(60),
};

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** @returns a client that sends this payload for every argument */
function sender(bad: Payload): Client {
  const { connection, options } = world.temporal;
  const codec = { encode: async (all: Payload[]) => all.map(() => bad), decode: async (all: Payload[]) => all };
  return new Client({ connection, namespace: options.namespace, dataConverter: { payloadCodecs: [codec] } });
}

const ASKED = { plan: { finishWhen: 'asked' } } as const;

async function expectSound(interviewId: string): Promise<void> {
  expect(failedTasks(await fetchHistory(world.temporal, interviewId))).toEqual([]);
}

describe.each([...BAD, ['an unknown key', ENCRYPTED, /it is encrypted with key "lost"/] as const])(
  'a payload with %s',
  (_, bad, why) => {
    it('makes the session ignore and log a signal', async () => {
      const { interviewId } = await begin(world, ASKED);
      const { workflowId } = handleOf(world, interviewId);
      const handle = sender(bad).workflow.getHandle(workflowId);
      const before = world.logs().length;
      for (const signal of Object.values(SIGNALS)) await handle.signal(signal, 'anything');
      await handle.signal('unknown', 'anything');
      await until(
        () => Object.values(SIGNALS).every((signal) => world.logs().slice(before).includes(`"${signal}"`)),
        true,
      );
      expect(world.logs().slice(before).replaceAll('\\"', '"')).toMatch(why);
      expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'waiting' });
      await handleOf(world, interviewId).executeUpdate('finish');
      expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
      await expectSound(interviewId);
    });

    it('makes the session refuse an update', async () => {
      const { interviewId } = await begin(world, ASKED);
      const handle = sender(bad).workflow.getHandle(handleOf(world, interviewId).workflowId);
      for (const update of [UPDATES.renewToken, UPDATES.extendDeadline]) {
        const failure = await handle.executeUpdate(update, { args: ['anything'] }).catch((error) => error.cause);
        expect(failure).toMatchObject({ type: FAILURES.invalidInput, message: expect.stringMatching(why) });
      }
      // `finish` has no argument.
      expect(await handle.executeUpdate('finish', { args: ['anything'] })).toBeDefined();
      await expectSound(interviewId);
    });
  },
);

describe.each(BAD)('a start with %s', (_, bad, why) => {
  it.each(['onboardingSession', 'onboardingBatch', 'onboardingAnswer'])('is refused by %s', async (type) => {
    const workflowId = `unreadable-${randomUUID()}`;
    const { taskQueue } = world;
    const handle = await sender(bad).workflow.start(type, { workflowId, taskQueue, args: ['anything'] });
    const failure = await handle.result().catch((error) => error.cause);
    // A shard may have a megabyte of sessions, so its input is decoded.
    const said = type === 'onboardingBatch' && bad.data && bad.data.length > 500_000 ? /must be an object/ : why;
    expect(failure).toMatchObject({ type: FAILURES.invalidInput, message: expect.stringMatching(said) });
    const history = await handle.fetchHistory();
    expect(failedTasks(history)).toEqual([]);
    // Starts from elsewhere must not block the replay check of a deploy.
    await Worker.runReplayHistory({ workflowBundle: WORKFLOW_BUNDLE }, history);
  });

  it('refuses an unreadable start together with its update', async () => {
    const { temporal, taskQueue } = world;
    const onboarding = new OnboardingClient({ client: sender(bad), taskQueue });
    const finishing = onboarding.finish({ interviewId: `unreadable-${randomUUID()}`, sessionToken: 'token' });
    await expect(finishing).rejects.toMatchObject({ name: 'InvalidInputError', message: expect.stringMatching(why) });
    expect(temporal).toBeDefined();
  });
});

describe('a start with an unknown key', () => {
  const LACKS_KEY = /cannot be decoded yet: it is encrypted with key "lost"/;

  it.each(['onboardingSession', 'onboardingBatch', 'captureOnboarding', 'onboardingAnswer'])(
    'lets %s wait until the key is available',
    async (type) => {
      const workflowId = `unreadable-${randomUUID()}`;
      const { taskQueue } = world;
      const handle = await sender(ENCRYPTED).workflow.start(type, { workflowId, taskQueue, args: ['any'] });
      await until(async () => failedTasks(await handle.fetchHistory()).length, 1);
      expect(failedTasks(await handle.fetchHistory())[0]).toMatch(LACKS_KEY);
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    },
  );

  it('does not count the delay of a start as time for the key', async () => {
    const workflowId = `unreadable-${randomUUID()}`;
    const options = { workflowId, taskQueue: world.taskQueue, args: ['any'], startDelay: '30 days' } as const;
    const handle = await sender(ENCRYPTED).workflow.start('onboardingSession', options);
    await passTime(world.temporal, workflowId, '30 days');
    await until(async () => failedTasks(await handle.fetchHistory()).length, 1);
    expect(failedTasks(await handle.fetchHistory())[0]).toMatch(LACKS_KEY);
    await handle.terminate();
  });

  describe('whose key has not come within seven days', async () => {
    const workflowBundle = await bundleWorkflowCode({
      workflowsPath: new URL('../support/workflows-next-week.ts', import.meta.url).pathname,
      payloadConverterPath: new URL('../../src/workflows/payload-converter.ts', import.meta.url).pathname,
      logger: new DefaultLogger('ERROR'),
    });

    async function refused(type: string) {
      const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
      const taskQueue = `next-week-${randomUUID()}`;
      const { namespace } = world.temporal.options;
      const worker = await Worker.create({ connection, namespace, taskQueue, workflowBundle });
      const options = { workflowId: `unreadable-${randomUUID()}`, taskQueue, args: ['any'] };
      const handle = await sender(ENCRYPTED).workflow.start(type, options);
      const failure = await worker.runUntil(handle.result().catch((error) => error.cause));
      await connection.close();
      return { failure, history: await handle.fetchHistory() };
    }

    it.each(['onboardingSession', 'onboardingBatch', 'captureOnboarding', 'onboardingAnswer'])(
      'is refused by %s, with the name of the key',
      async (type) => {
        const { failure, history } = await refused(type);
        expect(failure).toMatchObject({
          type: FAILURES.invalidInput,
          message: expect.stringMatching(
            /^input cannot be read: it is encrypted with key "lost".* waited 7 days for the key$/,
          ),
        });
        expect(failedTasks(history)).toEqual([]);
      },
    );

    it('is refused again in a replay with the key, and in one without it', async () => {
      const { history } = await refused('onboardingSession');
      await Worker.runReplayHistory({ workflowBundle: WORKFLOW_BUNDLE }, history);
      const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
      if (!started) throw new Error('The history does not begin with a start');
      const input = { interviewId: 'now-it-can-be-read', sessionToken: 'token' };
      started.input = { payloads: [payload('json/plain', JSON.stringify(input))] };
      await Worker.runReplayHistory({ workflowBundle: WORKFLOW_BUNDLE }, history);
    });
  });
});

describe('a replay of a start', () => {
  async function refused() {
    const [, bad] = BAD[2] as (typeof BAD)[number];
    const workflowId = `unreadable-${randomUUID()}`;
    const { taskQueue } = world;
    const handle = await sender(bad).workflow.start('onboardingSession', { workflowId, taskQueue, args: ['any'] });
    await handle.result().catch(() => undefined);
    return handle.fetchHistory();
  }

  const replay = (history: Awaited<ReturnType<typeof refused>>) =>
    Worker.runReplayHistory({ workflowBundle: WORKFLOW_BUNDLE }, history);

  it('refuses it again even if its input can be decoded by now', async () => {
    const history = await refused();
    const input = { interviewId: 'now-it-can-be-read', sessionToken: 'token' };
    const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (!started) throw new Error('The history does not begin with a start');
    started.input = { payloads: [payload('json/plain', JSON.stringify(input))] };
    await replay(history);
  });

  it('waits if its input was decoded before and cannot be decoded now', async () => {
    const { interviewId } = await begin(world);
    await world.onboarding.result(interviewId);
    const history = await fetchHistory(world.temporal, interviewId);
    const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (!started) throw new Error('The history does not begin with a start');
    started.input = { payloads: [payload('binary/zlib', 'x')] };
    await expect(replay(history)).rejects.toThrow('cannot be decoded yet');
  });
});
