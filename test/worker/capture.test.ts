import { expect, it, vi } from 'vitest';
import { completeBatch } from '../../src/client/index.js';
import type { ImageSource } from '../../src/images/index.js';
import { all } from '../support/batch.js';
import { startCaptureWorld } from '../support/capture-world.js';
import { jpeg } from '../support/images.js';

it('all workers of a process log the executive user in once', async () => {
  await using world = await startCaptureWorld({
    worker: { INCODE_EXECUTIVE_EMAIL: 'kyc@example.com', INCODE_EXECUTIVE_PASSWORD: 'password-of-the-test' },
  });
  const { simulator, onboarding, taskQueue } = world;
  // Its answer is lost, so the status is read before the repeat.
  const person = await world.person();
  simulator.fault({ operation: 'processId', kind: 'reset', effect: true });
  expect((await world.run(person)).onboarding?.outcome).toBe('approved');
  const { interviewId, token } = await simulator.openSession();
  const batch = { batchId: taskQueue, taskQueue: `${taskQueue}-bulk` };
  const rows = await all(completeBatch(onboarding, [{ interviewId, sessionToken: token }], batch));
  expect(rows.map(({ outcome }) => outcome)).toEqual(['approved']);
  expect(simulator.counts.logIn).toBe(1);
});

it('a worker reads images from a source of its host, and leaves the source open', async () => {
  const close = vi.fn(async () => undefined);
  const vault: ImageSource = {
    schemes: ['vault'],
    open: async (uri) => ({
      async *read() {
        yield jpeg({ content: uri });
      },
      close: async () => undefined,
    }),
    close,
  };
  {
    await using world = await startCaptureWorld({ imageSources: [vault] });
    const { reference } = await world.person();
    const { onboarding, images } = await world.run({ reference, front: { uri: 'vault:ann' } });
    expect(onboarding?.outcome).toBe('approved');
    expect(images.front?.assessment).toBe('accepted');
  }
  expect(close).not.toHaveBeenCalled();
});
